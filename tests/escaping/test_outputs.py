"""What each output makes of a hostile name, and that nothing else changes."""

import io
import json
import sys

import pytest

from prior_bench.cli import main
from prior_bench.escaping.latex import tex
from prior_bench.escaping.markdown import markdown
from prior_bench.escaping.signs import one_line, visible
from prior_bench.escaping.spreadsheet import cell
from prior_bench.escaping.streams import VisibleStream, bare, visible_output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", r"\u001b[31mred\u0007"),
        ("a\rb\x00\x7f\x9b", r"a\u000db\u0000\u007f\u009b"),
        ("\u202egnp.exe\u2066\u200f", r"\u202egnp.exe\u2066\u200f"),
        ("\u200b\ufeff\u00ad\u2028", r"\u200b\ufeff\u00ad\u2028"),
        ("\U000e0041\ud800", r"\udb40\udc41\ud800"),
        ("two\r\nlines\tand a tab\n", "two\nlines\tand a tab\n"),
        ("Größe 胸 ≈ 😀 می\u200cخواهم 👩\u200d⚕️ é", "Größe 胸 ≈ 😀 می\u200cخواهم 👩\u200d⚕️ é"),
    ],
)
def test_what_acts_is_seen_and_letters_stay(text, shown):
    assert visible(text) == shown


def test_json_keeps_its_meaning():
    values = ["\x9b", "\u202e", "\U000e0041", "\ufeff"]
    assert json.loads(visible(json.dumps(values, ensure_ascii=False))) == values


def test_one_line_has_no_end_of_line():
    assert one_line("a \n\n b\tc\r\nd") == "a b c d"


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-2+3", "@SUM(1)", "\t=1", " =1", "＝1", "-x", "=\u202e"])
def test_formulas_become_texts(text):
    assert cell(text) == "'" + visible(text)


@pytest.mark.parametrize(
    "value", ["-0.5", "+3", "1e-5", "-inf", "a=b", "x-y", "", "ViT-B/16", -0.5, None, True, "e@x"]
)
def test_numbers_and_names_stay(value):
    assert cell(value) is value or cell(value) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("**x** `y` _z_ snake_case", r"\*\*x\*\* \`y\` \_z\_ snake_case"),
        ("![a](http://x)", r"![a\](http://x)"),
        ("<img src=x> a < b", r"\<img src=x> a < b"),
        ("a\\|b\\", r"a\\\|b\\"),
        ("a\n# b", "a # b"),
        ("&lt; R&D", r"\&lt; R&D"),
        ("71.2 ± 0.4 [70.1, 72.3] (2 of 3 seeds)", "71.2 ± 0.4 [70.1, 72.3] (2 of 3 seeds)"),
        ("CheXpert, linear probe: AUROC ↑", "CheXpert, linear probe: AUROC ↑"),
    ],
)
def test_markdown_shows_what_was_written(text, shown):
    assert markdown(text) == shown


def test_markdown_is_read_back_as_written():
    parser = pytest.importorskip("markdown_it").MarkdownIt()
    for text in ("a|b *c* `d` <b> ![a](b) \\| &lt; __x__ ~~y~~ \\", "[a]: http://x", "<http://x>"):
        inline = parser.parseInline("x" + markdown(text))[0]
        assert "".join(token.content for token in inline.children) == "x" + text


def test_every_special_character_of_latex_is_escaped():
    for attack in (r"\input{/etc/passwd}", r"\write18{x}", "^^5cinput", "% x", "#1 $x$ a_b & ~"):
        assert set("\\{}%#$_&~^") & set(attack)
        rest = tex(attack)
        for known in (r"\textbackslash{}", r"\textasciicircum{}", r"\textasciitilde{}"):
            rest = rest.replace(known, "")
        for special in "{}%#$_&":
            rest = rest.replace(f"\\{special}", "")
        assert not set("\\{}%#$_&~^") & set(rest), rest


def test_the_command_line_prints_nothing_that_acts(capsys):
    name = "\x1b]0;owned\x07\u202ex"
    assert main(["table", name]) == 1
    shown = capsys.readouterr()
    assert r"\u001b]0;owned\u0007\u202ex" in shown.err and "\x1b" not in shown.err + shown.out
    with pytest.raises(SystemExit):
        main([name])
    assert "\x1b" not in capsys.readouterr().err


def test_streams_are_as_before_after_the_command(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with visible_output():
        assert isinstance(sys.stdout, VisibleStream) and bare(sys.stdout) is stream
        with visible_output():
            print("\x1b")
        sys.stdout.writelines(["a\n", "\x07"])
        bare(sys.stdout).write("\r")
    assert sys.stdout is stream and stream.getvalue() == "\\u001b\na\n\\u0007\r"
