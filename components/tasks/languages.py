"""The languages that texts are translated between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


class Language(NamedTuple):
    """`flores` is its code in the FLORES-200 benchmark, by which NLLB knows it; "-" if it is not there."""

    name: str
    flores: str

    @property
    def three_letters(self) -> str:
        return self.flores[:3]


# By the codes of M2M100 (Fan et al. 2020, https://arxiv.org/abs/2010.11125): ISO 639-1 where there is one.
LANGUAGES: Mapping[str, Language] = {
    code: Language(name, flores)
    for code, flores, name in (
        line.split(maxsplit=2)
        for line in """
        af  afr_Latn  Afrikaans
        am  amh_Ethi  Amharic
        ar  arb_Arab  Arabic
        ast ast_Latn  Asturian
        az  azj_Latn  Azerbaijani
        ba  bak_Cyrl  Bashkir
        be  bel_Cyrl  Belarusian
        bg  bul_Cyrl  Bulgarian
        bn  ben_Beng  Bengali
        br  -         Breton
        bs  bos_Latn  Bosnian
        ca  cat_Latn  Catalan
        ceb ceb_Latn  Cebuano
        cs  ces_Latn  Czech
        cy  cym_Latn  Welsh
        da  dan_Latn  Danish
        de  deu_Latn  German
        el  ell_Grek  Greek
        en  eng_Latn  English
        es  spa_Latn  Spanish
        et  est_Latn  Estonian
        fa  pes_Arab  Persian
        ff  fuv_Latn  Fulah
        fi  fin_Latn  Finnish
        fr  fra_Latn  French
        fy  -         Western Frisian
        ga  gle_Latn  Irish
        gd  gla_Latn  Scottish Gaelic
        gl  glg_Latn  Galician
        gu  guj_Gujr  Gujarati
        ha  hau_Latn  Hausa
        he  heb_Hebr  Hebrew
        hi  hin_Deva  Hindi
        hr  hrv_Latn  Croatian
        ht  hat_Latn  Haitian Creole
        hu  hun_Latn  Hungarian
        hy  hye_Armn  Armenian
        id  ind_Latn  Indonesian
        ig  ibo_Latn  Igbo
        ilo ilo_Latn  Iloko
        is  isl_Latn  Icelandic
        it  ita_Latn  Italian
        ja  jpn_Jpan  Japanese
        jv  jav_Latn  Javanese
        ka  kat_Geor  Georgian
        kk  kaz_Cyrl  Kazakh
        km  khm_Khmr  Khmer
        kn  kan_Knda  Kannada
        ko  kor_Hang  Korean
        lb  ltz_Latn  Luxembourgish
        lg  lug_Latn  Ganda
        ln  lin_Latn  Lingala
        lo  lao_Laoo  Lao
        lt  lit_Latn  Lithuanian
        lv  lvs_Latn  Latvian
        mg  plt_Latn  Malagasy
        mk  mkd_Cyrl  Macedonian
        ml  mal_Mlym  Malayalam
        mn  khk_Cyrl  Mongolian
        mr  mar_Deva  Marathi
        ms  zsm_Latn  Malay
        my  mya_Mymr  Burmese
        ne  npi_Deva  Nepali
        nl  nld_Latn  Dutch
        no  nob_Latn  Norwegian
        ns  nso_Latn  Northern Sotho
        oc  oci_Latn  Occitan
        or  ory_Orya  Odia
        pa  pan_Guru  Punjabi
        pl  pol_Latn  Polish
        ps  pbt_Arab  Pashto
        pt  por_Latn  Portuguese
        ro  ron_Latn  Romanian
        ru  rus_Cyrl  Russian
        sd  snd_Arab  Sindhi
        si  sin_Sinh  Sinhala
        sk  slk_Latn  Slovak
        sl  slv_Latn  Slovenian
        so  som_Latn  Somali
        sq  als_Latn  Albanian
        sr  srp_Cyrl  Serbian
        ss  ssw_Latn  Swati
        su  sun_Latn  Sundanese
        sv  swe_Latn  Swedish
        sw  swh_Latn  Swahili
        ta  tam_Taml  Tamil
        th  tha_Thai  Thai
        tl  tgl_Latn  Tagalog
        tn  tsn_Latn  Tswana
        tr  tur_Latn  Turkish
        uk  ukr_Cyrl  Ukrainian
        ur  urd_Arab  Urdu
        uz  uzn_Latn  Uzbek
        vi  vie_Latn  Vietnamese
        wo  wol_Latn  Wolof
        xh  xho_Latn  Xhosa
        yi  ydd_Hebr  Yiddish
        yo  yor_Latn  Yoruba
        zh  zho_Hans  Chinese
        zu  zul_Latn  Zulu
        """.strip().splitlines()
    )
}
AUTO = "auto"
# What models of many languages read unless told otherwise.
USUAL = "en"


def name(code: str) -> str:
    """German (de); a code that is not in the list stays as it is."""
    return f"{LANGUAGES[code].name} ({code})" if code in LANGUAGES else code


def code(spelling: str) -> str:
    """The code here for one of two or three letters, in any case; as it is if it is none."""
    wanted = spelling.lower().replace("-", "_").split("_")[0]
    if wanted in LANGUAGES:
        return wanted
    return next((code for code, language in LANGUAGES.items() if language.three_letters == wanted), spelling)


def _one_of(*codes: str) -> AfterValidator:
    def known(code: str) -> str:
        if code not in codes:
            raise PydanticCustomError("language", "is no language's code")
        return code

    return AfterValidator(known)


LanguageCode = Annotated[str, _one_of(*LANGUAGES), Field(json_schema_extra={"enum": list(LANGUAGES)})]
"""A choice among `LANGUAGES`."""

LanguageOrAuto = Annotated[
    str, _one_of(AUTO, *LANGUAGES), Field(json_schema_extra={"enum": [AUTO, *LANGUAGES]})
]
"""The same, or "auto"."""
