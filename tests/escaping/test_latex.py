import string

import pytest

from prior_bench.escaping.latex import ACCENTS, GREEK, SIGNS, tex, tex_number


@pytest.mark.parametrize(
    "text, expected",
    [
        ("A & B_1 50 % #2 $x {y}", r"A \& B\_1 50 \% \#2 \$x \{y\}"),
        (
            "a\\b ~ ^ | < >",
            r"a\textbackslash{}b \textasciitilde{} \textasciicircum{} \textbar{} \textless{} \textgreater{}",
        ),
        ("1.0 ± 0.2 × 10⁻⁶", r"1.0 $\pm$ 0.2 $\times$ 10\textsuperscript{$-$}\textsuperscript{6}"),
        ("CO₂, image → text", r"CO$_{\mathrm{2}}$, image $\rightarrow$ text"),
        ("Müller–Çelik, Šimić, Øster, ñ", r"M\"{u}ller--\c{C}elik, \v{S}imi\'{c}, \O{}ster, \~{n}"),
        ("α-fold, λ = Δ", r"$\alpha$-fold, $\lambda$ = $\Delta$"),
        ("ﬁne, １, 胸, \t.", r"fine, 1, ?,  ."),
    ],
)
def test_what_is_made_of_characters(text, expected):
    assert tex(text) == expected


def test_composed_and_decomposed_letters_are_the_same():
    assert tex("u\u0308") == tex("ü") == r"\"{u}"


def test_it_is_ascii_whatever_comes():
    everything = "".join(map(chr, [*range(0x20, 0x3000), *range(0xFB00, 0xFFFE), 0x1F600]))
    assert tex(everything).isascii()
    assert all(value.isascii() for value in [*SIGNS.values(), *ACCENTS.values(), *GREEK])
    assert tex(string.ascii_letters + string.digits + " .,:;!?()[]/+-=*'@") == (
        string.ascii_letters + string.digits + " .,:;!?()[]/+-=*'@"
    )


def test_only_hyphens_in_front_of_numbers_are_minus_signs():
    assert tex_number("-0.3 [-1.0, +0.4]") == "$-$0.3 [$-$1.0, +0.4]"
    assert tex_number("mAP 40-75, G-2") == "mAP 40-75, G-2"
