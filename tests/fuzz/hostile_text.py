"""Names that act in terminals, spreadsheets, Markdown, pages and LaTeX, and checks that none of them did."""

import csv
import io
import random
import re
from html.parser import HTMLParser

from prior_bench.escaping.signs import ACTING

EVIL = "evil.invalid"
"""Host of every address in a name; nothing of ours names it."""

ATTACKS = (
    *(
        "\x1b]0;owned\x07",
        "\x1b[2J\x1b[H",
        "\x1b[8mhidden",
        "\x9b31m",
        "\rerror: none",
        "\b\b\b\b",
        "\x7f",
        "\x0c",
    ),
    *("\u202egnp.exe", "\u2066x\u2069", "\u200b", "\u2028x", "\ufeff", "\u00ad", "\U000e0041", "\x85"),
    *("=cmd|' /C calc'!A0", f'=HYPERLINK("http://{EVIL}")', "@SUM(1)", "+1+1", "-2+3", "\t=1", "＝1+1"),
    *(
        "<script>evil()</script>",
        "<img src=x onerror=evil()>",
        '"><svg onload=evil()>',
        "' onmouseover='evil()",
    ),
    *("</title></style></script><script>evil()</script>", "<!--", "]]>", "javascript:evil()", "{{ 7*7 }}"),
    *(f"<link rel=stylesheet href=http://{EVIL}/x.css>", f"<iframe src=http://{EVIL}></iframe>", "&lt;b&gt;"),
    *(
        f'<meta http-equiv=refresh content="0;url=http://{EVIL}">',
        f"<img src=http://{EVIL}/x.png>",
        "&#x3c;b>",
    ),
    *(r"\input{/etc/passwd}", r"\write18{touch evil}", r"\immediate\write18{touch evil}", "^^5cinput{x}"),
    *(
        "%",
        r"}\end{tabular}",
        r"$\frac{",
        "$$",
        "#1",
        "&&",
        "\\",
        r"\\",
        "~",
        "{",
        "}",
        r"\csname input\endcsname x",
    ),
    *(f"[a](http://{EVIL})", f"![a](http://{EVIL}/x.png)", "|", "`", "**x**", "_x_", "\n\n# x", "~~x~~"),
    *(f"<http://{EVIL}>", f"[a]: http://{EVIL}", "]", "a\\|b", "\n- x", "\n", "\r\n", "%s%n{0}{x.__class__}"),
    *("$(touch evil)", "`touch evil`", "; touch evil", "../../x", "x" * 3000, "٣", "é\u0301", "😀", "'", '"'),
)


def hostile(luck: random.Random) -> str:
    """A name with one to three attacks, at its start, inside or at its end."""
    parts = luck.sample(ATTACKS, luck.choice([1, 1, 2, 3]))
    before, after = luck.choice(["", "", "a", "My "]), luck.choice(["", "z", " 2"])
    return before + luck.choice(["", " "]).join(parts) + after


def wrong_on_terminal(text: str) -> str:
    """What of a printed text would act on a terminal; empty if nothing."""
    found = ACTING.search(text)
    return (
        f"{found.group()!r} is printed, in {text[max(0, found.start() - 40) : found.end()]!r}"
        if found
        else ""
    )


def wrong_in_csv(text: str) -> str:
    """Which cell of a CSV file a spreadsheet would compute; empty if none."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    for row in rows:
        for cell in row:
            if cell.lstrip()[:1] in tuple("=+-@＝＋－＠") and not re.fullmatch(
                r"\s*[-+]?[\d.eEinfa+-]+", cell
            ):
                return f"the cell {cell[:80]!r} is a formula"
    return "" if len({len(row) for row in rows}) == 1 else "rows of several lengths"


def wrong_in_markdown(text: str) -> str:
    """What a Markdown reader makes of a text beyond tables, bold and underlined cells; empty if nothing."""
    from markdown_it import MarkdownIt

    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        if token.type in ("html_block", "fence", "code_block", "heading_open", "bullet_list_open", "hr"):
            return f"{token.type}: {token.content[:80]!r}"
        for inner in token.children or ():
            plain = inner.type in ("text", "softbreak", "text_special") or inner.type[:3] in ("str", "em_")
            if not plain and inner.content not in ("<u>", "</u>"):
                return f"{inner.type}: {inner.content[:80]!r} in {token.content[:80]!r}"
    return ""


class Page(HTMLParser):
    """Collects what in a page runs or loads something."""

    def __init__(self):
        super().__init__()
        self.scripts, self.drawn, self.wrong = 0, False, []

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script" and ("type", "application/json") not in attributes
        self.drawn |= tag == "div" and ("class", "explorer") in attributes
        if tag in ("iframe", "object", "embed", "base", "form"):
            self.wrong.append(f"<{tag}>")
        for name, value in attributes:
            loads = name in ("src", "href", "xlink:href") and not (value or "").startswith(("data:", "#"))
            if (
                name.startswith("on")
                or loads
                or (name == "http-equiv" and value != "Content-Security-Policy")
            ):
                self.wrong.append(f'<{tag} {name}="{value}">')


def wrong_in_page(text: str, scripts: int = 1) -> str:
    """What in a page runs or loads something; empty if only our scripts do.

    Args:
        scripts: how many are ours, without the one that draws the figures of a column.
    """
    page = Page()
    page.feed(text)
    if page.scripts != scripts + page.drawn:
        page.wrong.append(f"{page.scripts} scripts")
    if 'http-equiv="Content-Security-Policy"' not in text and scripts:
        page.wrong.append("no content security policy")
    return "; ".join(page.wrong)


COMMANDS = set(
    "addtocounter approx begin bigskip bottomrule bullet caption cdot centering cmidrule dag ddag div "
    "dots downarrow else emph else emph end fi footnotesize geq hbox ifdim infty label leftarrow "
    "leftrightarrow leq linewidth mathrm midrule multicolumn neq par pm relax resizebox rightarrow "
    "rlap surd textasciicircum textasciitilde textbackslash textbar textbf textgreater textless "
    "textsuperscript times toprule underline uparrow usebox wd ae AE oe OE o O l L S ss u r H v c mu "
    "circ alpha beta gamma delta epsilon zeta eta theta iota kappa lambda nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
"""LaTeX commands that a table may hold."""


def wrong_in_latex(text: str) -> str:
    """What LaTeX would do with a table beyond setting it; empty if nothing."""
    if not text.isascii():
        return "it is not ASCII"
    unknown = set(re.findall(r"\\([A-Za-z]+)", text)) - COMMANDS
    if unknown:
        return f"commands {sorted(unknown)}"
    if re.search(r"(?<!\\)%(?!\n)|(?<!\\)#|\^\^", text):
        return "a comment, a parameter or a character by its number"
    bare = re.sub(r"\\[^A-Za-z\n]", "", text)
    return (
        ""
        if bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0
        else "braces or $ are not balanced"
    )
