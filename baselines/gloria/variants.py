"""Differences of the released GLoRIA from the paper.

Some differences are not reproduced, because they stop the released code or have no effect: ``squeeze()`` at
batch size 1, the channel counts of ResNet-18/34, the choice of DenseNet and ResNeXt, the word limit that is
compared by equality.
"""

from __future__ import annotations

from dataclasses import dataclass

from prior_bench.variants import switch


@dataclass(frozen=True)
class GloriaVariant:
    """Switches for the differences of the released code from the paper; True is the released behaviour.

    Each field's ``metadata["doc"]`` describes the effect of the switch.
    """

    double_softmax: bool = switch(
        "a region's dot products go through a softmax over the words before the one over the regions, so "
        "that no region outweighs another by more than e^temp1"
    )
    undivided_matching: bool = switch(
        "the pooled word scores are not divided by temp2: a word counts up to 5, the global cosine up to 1"
    )
    summed_directions: bool = switch("the losses of both directions are added, not averaged")
    cls_as_word: bool = switch("[CLS] is one of the words in training, though not in the similarity")
    specials_in_sentence: bool = switch("[CLS] and [SEP] count in the sentence's vector")
    max_over_words: bool = switch("the similarity takes the best word where training takes all, softly")
    character_counted_texts: bool = switch(
        "in the similarity a text of n characters has n words: [SEP] and zero vectors take part as words "
        "(characters as the tokens tell them, one space between words)"
    )
