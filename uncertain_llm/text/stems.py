"""Stems without which a rule of this room cannot fire: most rules are passed over unread.

A stem is a piece of a word, one of which stands in everything that the rule's pattern matches.
No stem holds a space, so that words blanked out of a sentence never make one. A test proves each
set from the pattern's own parse; a pattern that changes without its stems fails there. Private to
the room.
"""

from __future__ import annotations

__all__ = ["STEMS", "may_match"]

_WRITTEN = {
    "refusal:premise_named": "assum based false flawed incor mista premi presu wrong",
    "refusal:subjective": "belie emoti favo feeli opini polit prefe side stanc view",
    "refusal:asks_back": (
        "askin clari confi elabo expla give let mean mind need paste pleas provi refer "
        "rephr share speci talki tell"
    ),
    "refusal:nonsense": "gibberish meaningless nonsensical parse sense underst",
    "refusal:missing_context": (
        "article attac can't document don't gave give inclu indic information menti name "
        "not passage paste prompt provi question sai share speci state tell text told "
        "uploa witho"
    ),
    "refusal:stale": (
        "current cut-off cutoff knowledge latest live present-day real-time recent "
        "training up-to-date"
    ),
    "refusal:unknowable": (
        "able announced answere can could count decided depen deter docum estab exist "
        "forec fores foret futur happe held kept know occur played predi rando recor "
        "resol say survi taken tell"
    ),
    "refusal:no_access": (
        "acces brows check click displ downl draw execu fetch have hear langu liste look "
        "open play proce read retri run searc see send text- uploa view visit watch way"
    ),
    "refusal:does_not_know": (
        "able aware beats built can capab certain confident could desig dunno equip "
        "clue familiar have idea idk incap know n/a neither posit progr recal recog remem sure "
        "unabl"
    ),
    "refusal:will_not": (
        "advoc allowed assis authorised authorized comfo condo decline designed encou "
        "endor engag forbidden gener going must offer parti permitted prefer programmed "
        "pass prohibited promo provi rather refuse restricted should somet suppo will won't "
        "would"
    ),
    "refusal:cannot_help": "able built can capab could desig equip incap neither posit progr unabl",
    "refusal:against_rules": (
        "again allow confl contr forbi let outsi permi preve prohi stop viola withi"
    ),
    "refusal:no_comment": "comment nothing opinion",
    "refusal:deflects": "ask check consult contact refer see speak talk",
    "words:not_meant": (
        "agree argue belie can compl deny empha enoug grateful happi happy help highly "
        "imagi much overs share stres thank wait won't wrong"
    ),
    "words:objection": (
        "accep addre advis advocate advocating against agree answe appro aren't basis "
        "believe benef can clari committed condemn condo denounce empha endorse ethic "
        "every excuse fair good healt individuals isn't justi legal moral must norma note "
        "object ok oppose people permi place point produ reason reject remin respe respo "
        "right safe shoul somet stres support think toler wasn't"
    ),
    "words:condemnation": (
        "abhor again condemned crime dange deplo discr disre felon form harmf hurtf illeg "
        "immor inapp menta offen punis racis repre sexis tragi unacc uneth unfai unjus "
        "unlaw viola wrong"
    ),
    "lexicon:0": (
        "aren't certain clear conclusive confident convinced established idea incon isn't "
        "know proven recall remember sure uncer uncle unkno unpro unsur wasn't way "
        "weren't"
    ),
    "lexicon:1": "guess",
    "lexicon:2": "might",
    "lexicon:3": (
        "conceivably enoug knowl learn may merit necessary need perhaps possibly remai "
        "require warrant wheth"
    ),
    "lexicon:4": "could",
    "lexicon:5": "lausi ossib poten theor",
    "lexicon:6": (
        "appar appear argua far head knowl memor mista presu recall remember seem sugge suppo"
    ),
    "lexicon:7": (
        "assum belie consi estimation expec fear feel hope hypot i'd opinion reckon rumo "
        "said specu suppose suspe think thoug view would"
    ),
    "lexicon:8": "alleged impl preli repor shoul small",
    "lexicon:9": (
        "cases generally if largely likely mostly often part sometimes tend typically usually would"
    ),
    "lexicon:10": (
        "about accor almost approximately around can circa estim fully indic less limit "
        "nearly roughly so ~ \u2248"
    ),
    "hedge:not_epistemic": (
        "can could customer doubt like may might only possi recomm should thoug user would you"
    ),
    "hedge:probability": "certa chanc confi likel odds proba sure",
    "hedge:booster": (
        "absolutely certainly clearly course definitely doubt indeed obviously surely "
        "unquestionably without"
    ),
    "hedge:no_claim": (
        "can certa could cours did do feel good great hello helps hi let may pleas shall "
        "should sure thank there would you'r"
    ),
    "stated:cue_after": (
        "certain chance confidence confident convinced credence likelihood likely odds "
        "positive probability probable sure"
    ),
    "stated:cue_before": (
        "assig certain chance confidence confident convinced credence estim give go guess "
        "likelihood likely odds positive probability probable put rate say sure"
    ),
    "stated:negated": "n't never not",
    "stated:declines": (
        "applicable can't cannot confi difficult don't estim figur hard idea impossible "
        "know n/a na none numbe numer odds perce proba quant rather won't"
    ),
    "stated:labelled": (
        "certainty confidence likelihood probability sicherheit zuversicht konfidenz confiance "
        "certitude confianza certeza \u4fe1\u5fc3 \u7f6e\u4fe1\u5ea6 \u628a\u63e1 "
        "\u78ba\u4fe1\u5ea6 \u4fe1\u983c\u5ea6 \uc2e0\ub8b0\ub3c4"
    ),
    "stated:closing": (
        "certainty confidence likelihood probability sicherheit zuversicht konfidenz confiance "
        "certitude confianza certeza \u4fe1\u5fc3 \u7f6e\u4fe1\u5ea6 \u628a\u63e1 "
        "\u78ba\u4fe1\u5ea6 \u4fe1\u983c\u5ea6 \uc2e0\ub8b0\ub3c4"
    ),
}
STEMS = {name: tuple(stems.split()) for name, stems in _WRITTEN.items()}
"""The stems of each pattern, by the module's short name and the pattern's own."""


def may_match(name: str, text: str) -> bool:
    """Return False only where the pattern called `name` cannot match anywhere in `text`.

    Example:
        >>> may_match("lexicon:1", "it opened in 1932."), may_match("lexicon:1", "a guess.")
        (False, True)
    """
    # A plain loop: any() with a generator takes twice as long, and this runs for every sentence.
    for stem in STEMS[name]:  # noqa: SIM110
        if stem in text:
            return True
    return False
