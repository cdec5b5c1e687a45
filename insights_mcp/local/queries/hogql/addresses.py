"""Functions of web addresses."""

from __future__ import annotations

from insights_mcp.local.queries.hogql.signatures import table

START = "^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//"
# The host, without who logs in and without the port.
HOST = f"{START}(?:[^/?#@]*@)?([^/?#:]+)"
BARE = r"^([a-zA-Z0-9][a-zA-Z0-9_-]*(?:\.[a-zA-Z0-9_-]+)+)(?:[/?#:]|$)"
# An address without a scheme has one for what reads the host.
ADDRESS = f"regexp_replace({{0}}, '{BARE.replace('(?:[/?#:]|$)', '([/?#:]|$)')}', '//\\1\\2')"
NAME = f"coalesce(nullif(regexp_extract({{0}}, '{HOST}', 1), ''), regexp_extract({{0}}, '{BARE}', 1))"
WHOLE = r"(?:[^/?#:]*?\.)?([^./?#:]+\.(?:(?:co|com|org|net|gov|ac|edu)\.[a-z][a-z]|[^./?#:]+))(?:[:/?#]|$)"
PARAMETER = "'([?&;]|^)' || regexp_escape({1}) || '=([^&#]*)'"
ASKED = "nullif(regexp_extract({0}, '[?]([^#]*)', 1), '')"
PAIRS = f"list_filter(coalesce(string_split({ASKED}, '&'), []), lambda z: z <> '')"
AFTER_HOST = f"regexp_extract({ADDRESS}, '(?:{START}[^/?#]*|^)(/.*)', 1)"
FUNCTIONS = table(
    (
        "String",
        {
            "domain": NAME,
            "domainWithoutWWW": f"regexp_replace({NAME}, '^www\\.', '')",
            "topLevelDomain": f"regexp_extract({ADDRESS}, '{START}[^/?#:]*\\.([^./?#:0-9][^./?#:]*)(?:[:/?#]|$)', 1)",
            "cutToFirstSignificantSubdomain": f"regexp_extract({ADDRESS}, '{START}{WHOLE}', 1)",
            "cutToFirstSignificantSubdomainWithWWW": f"regexp_extract({ADDRESS}, '{START}{WHOLE}', 1)",
            "firstSignificantSubdomain": f"string_split(regexp_extract({ADDRESS}, '{START}{WHOLE}', 1), '.')[1]",
            "netloc": f"regexp_extract({ADDRESS}, '{START}([^/?#]+)', 1)",
            "protocol": "regexp_extract({0}, '^([a-zA-Z][a-zA-Z0-9+.-]*):(?://|[^0-9])', 1)",
            "path": f"regexp_extract({ADDRESS}, '(?:{START}[^/?#]*|^)(/[^?#]*)', 1)",
            "pathFull": AFTER_HOST,
            "queryString": "regexp_extract({0}, '[?]([^#]*)', 1)",
            "fragment": "regexp_extract({0}, '#(.*)', 1)",
            "queryStringAndFragment": "regexp_extract({0}, '[?](.*)', 1)",
            "cutQueryString": "regexp_replace({0}, '[?][^#]*', '')",
            "cutFragment": "regexp_replace({0}, '#.*', '')",
            "cutQueryStringAndFragment": "regexp_replace({0}, '[?].*', '')",
            "cutWWW": "regexp_replace({0}, '//www\\.', '//')",
            "cutURLParameter": "regexp_replace(regexp_replace({0}, '([?&])' || regexp_escape({1}) || '=[^&#]*&?',"
            " '\\1'), '[?&](#|$)', '\\1')",
            "extractURLParameter": f"regexp_extract({{0}}, {PARAMETER}, 2)",
            "encodeURLComponent": "url_encode({0})",
            "decodeURLComponent": "url_decode({0})",
            "encodeURLFormComponent": "replace(url_encode({0}), '%20', '+')",
            "decodeURLFormComponent": "url_decode(replace({0}, '+', ' '))",
        },
    ),
    ("UInt64", {"port": f"coalesce(try_cast(regexp_extract({{0}}, '{START}[^/?#:]*:([0-9]+)', 1) as bigint), 0)"}),
    (
        "Array(String)",
        {
            "extractURLParameters": PAIRS,
            "extractURLParameterNames": f"list_transform({PAIRS}, lambda z: split_part(z, '=', 1))",
        },
    ),
)
