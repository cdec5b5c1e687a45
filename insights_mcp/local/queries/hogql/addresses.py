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
# What has no point in it is no domain.
DOMAIN = f"coalesce(regexp_extract({NAME}, '^.*[.].*$'), '')"
WHOLE = r"(?:[^/?#:]*?\.)?([^./?#:]+\.(?:(?:co|com|org|net|gov|ac|edu)\.[a-z][a-z]|[^./?#:]+))(?:[:/?#]|$)"
PARAMETER = "'([?&;]|^)' || regexp_escape({1}) || '=([^&#]*)'"
ASKED = "nullif(regexp_extract({0}, '[?#](.*)', 1), '')"
TOKENS = f"coalesce(regexp_split_to_array({ASKED}, '[&#]'), [])"
# The last one counts only with a value.
PAIRS = f"list_filter({TOKENS}, lambda z, i: i < len({TOKENS}) or z like '%=%')"
# Where an address, or its path, can be cut: after each run of signs.
CUTS = "regexp_extract_all({path}, '^[/?#]|[/?#]*[^/?#]+[/?#]?')"
STEPS = f"list_filter(list_transform(range(1, len({CUTS}) + 1), lambda i: array_to_string({CUTS}[:i], '')),"
STEPS += f" lambda z, i: {CUTS}[i] <> '')"
AFTER_HOST = f"regexp_extract({ADDRESS}, '(?:{START}[^/?#]*|^)(/.*)', 1)"
PORT = f"coalesce(try_cast(regexp_extract({{{{0}}}}, '{START}[^/?#]*:([0-9]+)', 1) as bigint), {{}})"
BASE = "^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*"
PATHS = STEPS.replace("{path}", f"regexp_extract({{0}}, '{BASE}(.*)', 1)")
HIERARCHY = f"list_transform({PATHS}, lambda z: regexp_extract({{0}}, '{BASE}') || z)"
HIERARCHY = f"case when {{0}} = '' then [] when regexp_matches({{0}}, '{BASE}[/?#]') then {HIERARCHY} else [{{0}}] end"
FUNCTIONS = table(
    (
        "String",
        {
            "domain": DOMAIN,
            "domainWithoutWWW": f"regexp_replace({DOMAIN}, '^www\\.', '')",
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
            "cutQueryStringAndFragment": "regexp_replace({0}, '[?#].*', '')",
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
    ("UInt64", {"port": f"{PORT.format('0')} ## {PORT.format('{1}')}"}),
    (
        "Array(String)",
        {
            "extractURLParameters": PAIRS,
            "extractURLParameterNames": f"list_transform({PAIRS}, lambda z: split_part(z, '=', 1))",
            "URLHierarchy": HIERARCHY,
            "URLPathHierarchy": f"list_filter({PATHS}, lambda z: z not in ('/', '?', '#'))",
        },
    ),
)
