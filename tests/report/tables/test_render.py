import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from fixed_store import TABLE

from prior_bench.errors import BenchError
from prior_bench.report.tables import render as renders
from prior_bench.report.tables.render import render
from prior_bench.report.tables.table import Cell, Column, Row, Table, build_table, load_table

MARKDOWN = """\
**Tiny**

| Backbone     |    CheXpert (AUROC): 10 % ↑ |   CheXpert (AUROC): 100 % ↑ |   Retrieval: median rank ↓ |
|:-------------|--------------------------:|--------------------------:|-------------------------:|
| Random       |                41.0 ± 1.4 |                51.0 ± 1.4 |          no text encoder |
| ConVIRT      | <u>60.0 (1 of 2 seeds)</u> |               72.0 ± 2.8 |                  not run |
| PRIOR & Co_1 | failed: ValueError: a \\| b |        <u>80.5 ± 0.7</u> |              3.50 ± 0.71 |
| *chance*     |                      50.0 |                      50.0 |                        – |

Synthetic data: generated phantoms, not patients. Mean ± standard deviation over seeds 0, 1. \
Values × 100, except Retrieval: median rank. Protocols: demo/linear_probe, demo/retrieval. \
Underlined: best number of a column, \
without a claim: not every row could be tested against it (the predictions have no patients). \
Rows in italics: predictors that do not look at the image; they are not tested.
"""

LATEX = r"""\begin{table}[t]
\centering
\caption[{Tiny}]{Tiny. Synthetic data: generated phantoms, not patients. Mean $\pm$ standard deviation over seeds 0, 1. Values $\times$ 100, except Retrieval: median rank. Protocols: demo/linear\_probe, demo/retrieval. Underlined: best number of a column, without a claim: not every row could be tested against it (the predictions have no patients). Rows in italics: predictors that do not look at the image; they are not tested. a: failed: ValueError: a \textbar{} b.}
\label{tab:tiny}
\bigskip
\footnotesize
\begin{tabular}{lrrr}
\toprule
& \multicolumn{2}{c}{CheXpert (AUROC)} & \multicolumn{1}{c}{Retrieval} \\
\cmidrule(lr){2-3} \cmidrule(lr){4-4}
Backbone & 10 \% $\uparrow$ & 100 \% $\uparrow$ & median rank $\downarrow$ \\
\midrule
Random & 41.0 $\pm$ 1.4 & 51.0 $\pm$ 1.4 & no text encoder \\
ConVIRT & \underline{60.0 (1 of 2 seeds)} & 72.0 $\pm$ 2.8 & not run \\
PRIOR \& Co\_1 & --\textsuperscript{a} & \underline{80.5 $\pm$ 0.7} & 3.50 $\pm$ 0.71 \\
\midrule
\emph{chance} & 50.0 & 50.0 & -- \\
\bottomrule
\end{tabular}
\end{table}
"""  # noqa: E501


@pytest.fixture
def table(tmp_path, stores):
    path = tmp_path / "tiny.py"
    path.write_text(TABLE)
    return build_table(load_table(str(path)), stores, trivial=True)


def test_markdown(table):
    text = render(table)
    squeezed = [" ".join(line.split()) for line in text.splitlines()]
    expected = [" ".join(line.split()) for line in MARKDOWN.splitlines()]
    assert [line.replace("-", "") for line in squeezed] == [line.replace("-", "") for line in expected]


def test_latex(table):
    assert render(table, "latex") == LATEX


def test_wide_markdown_is_broken_between_groups(table, monkeypatch):
    monkeypatch.setattr(renders, "WIDTH", 60)
    blocks = [b for b in render(table).split("\n\n") if b.startswith("|")]
    assert len(blocks) == 2
    assert [block.count("CheXpert") for block in blocks] == [2, 0]
    assert all(block.splitlines()[0].startswith("| Backbone") for block in blocks)


def test_wide_latex_is_broken_between_groups_and_long_ones_between_rows():
    columns = [Column(f"Group {n // 3}", "metric", "t", {}, "p", "m") for n in range(18)]
    rows = [Row(f"Backbone {r}", [Cell({0: 50.0, 1: 52.0}) for _ in columns]) for r in range(50)]
    text = render(Table("wide", "Wide", columns, rows, []), "latex")
    blocks = re.findall(r"\\begin{tabular}{l(r+)}(.*?)\\end{tabular}", text, re.DOTALL)
    assert [len(aligned) for aligned, _ in blocks] == [6, 6] * 3  # two groups, in two parts each
    assert [block.count("Backbone ") - 1 for _, block in blocks] == [35, 15] * 3
    assert text.count(r"\resizebox{\linewidth}{!}") == 6 and text.count(r"\begin{table}") == 6
    assert text.count(r"\caption[{Wide}]") == 1 and text.count("Wide (continued).") == 5


def test_csv_reads_back(table):
    lines = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    assert len(lines) == 12
    assert float(lines[1]["mean"]) == pytest.approx(51) and lines[1]["metric"] == "auroc"
    assert lines[6]["reason"] == "failed: ValueError: a | b" and lines[6]["mean"] == ""


def test_json_has_every_seed_and_no_nan(table):
    values = json.loads(render(table, "json"), parse_constant=pytest.fail)
    cell = values["rows"][1]["cells"][0]
    assert cell["values"] == {"0": pytest.approx(60)} and cell["planned"] == 2 and cell["std"] is None
    assert values["columns"][2]["higher_is_better"] is False


def test_html_is_balanced_escaped_and_spans_add_up(table):
    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.spans, self.cells = [], [], 0

        def handle_starttag(self, tag, attributes):
            if tag != "col":
                self.open.append(tag)
            self.spans += [int(v) for k, v in attributes if k == "colspan"]
            self.cells += tag == "td"

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    text = render(table, "html")
    reader = Reader()
    reader.feed(text)
    assert reader.open == [] and reader.spans == [2, 1] and reader.cells == 12
    assert "PRIOR &amp; Co_1" in text and "<u>80.5 ± 0.7</u>" in text and "<i>chance</i>" in text


def test_unknown_format(table):
    with pytest.raises(BenchError, match="unknown table format 'markdwn'"):
        render(table, "markdwn")
