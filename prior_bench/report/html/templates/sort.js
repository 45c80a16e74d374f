// Makes the tables of the page sortable and opens what is folded before printing. Everything can be read without it.
(() => {
  "use strict";

  // The headings that stand over exactly one column, by column, and the group heading above each.
  const headings = (table) => {
    const rows = [...table.tHead.rows];
    const taken = rows.map(() => []);
    const single = [];
    const group = [];
    rows.forEach((row, r) => {
      let c = 0;
      for (const cell of row.cells) {
        while (taken[r][c]) c += 1;
        for (let down = 0; down < cell.rowSpan; down += 1) {
          for (let right = 0; right < cell.colSpan; right += 1) taken[r + down][c + right] = true;
        }
        if (r + cell.rowSpan === rows.length) single[c] = cell;
        else for (let right = 0; right < cell.colSpan; right += 1) group[c + right] = cell.textContent.trim();
        c += cell.colSpan;
      }
    });
    return single.map((cell, c) => ({ cell, group: group[c] || "" }));
  };

  // What a cell is sorted by: a number, a text, or null for "nothing here".
  const key = (cell) => {
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    const text = cell.textContent.trim();
    if (cell.tagName === "TH" || cell.classList.contains("words")) return text;
    const number = Number.parseFloat(text.replace("−", "-"));
    return Number.isNaN(number) ? null : number;
  };

  const compare = (one, two) =>
    typeof one === "number" && typeof two === "number"
      ? one - two
      : String(one).localeCompare(String(two), undefined, { numeric: true });

  const sort = (table, column, descending) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: key(row.cells[column]) }));
    const last = ({ row, key }) => (row.classList.contains("trivial") ? 2 : key === null ? 1 : 0);
    rows.sort((one, two) => last(one) - last(two) ||
      (last(one) ? 0 : (descending ? -1 : 1) * compare(one.key, two.key)));
    body.append(...rows.map(({ row }) => row));
  };

  for (const table of document.querySelectorAll("table.comparison, table.sortable")) {
    const all = headings(table);
    all.forEach(({ cell, group }, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...cell.childNodes);
      const name = [group, button.textContent.trim()].filter(Boolean).join(", ");
      button.setAttribute("aria-label", name);
      button.title = "Sort by " + name;
      cell.append(button);
      button.addEventListener("click", () => {
        const first = table.tBodies[0].rows[0];
        const isText = first && typeof key(first.cells[column]) === "string";
        const before = cell.getAttribute("aria-sort");
        const descending = before ? before === "ascending" : !isText; // numbers: the highest first
        all.forEach((other) => other.cell.removeAttribute("aria-sort"));
        cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
        sort(table, column, descending);
      });
    });
  }

  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });
})();
