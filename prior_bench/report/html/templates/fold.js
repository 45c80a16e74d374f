// Parts of the page are folded: a link to one opens it, and a button opens or closes all.
(() => {
  const parts = [...document.querySelectorAll("details.part")];
  const show = (hash) => {
    const part = document.getElementById(hash.slice(1))?.closest("details.part");
    if (part) part.open = true;
  };
  show(location.hash);
  for (const link of document.querySelectorAll("nav a")) link.addEventListener("click", () => show(link.hash));

  const button = document.createElement("button");
  button.type = "button";
  button.className = "unfold";
  const name = () => {
    button.textContent = parts.every((part) => part.open) ? "Close all parts" : "Open all parts";
  };
  button.addEventListener("click", () => {
    const open = !parts.every((part) => part.open);
    for (const part of parts) part.open = open;
    name();
  });
  for (const part of parts) part.addEventListener("toggle", name);
  name();
  if (parts.length) document.querySelector("nav").append(button);
})();
