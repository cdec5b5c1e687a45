"""Made-up events of a web product, as PostHog's batch export writes them: Parquet, always the same for a number.

Persons come 90 days long and return in sessions, most with an anonymous id first; 560 bytes of JSON an event.
As a program: python -m benchmarks.generate EVENTS FILE.parquet
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import duckdb

START = "timestamp '2026-08-03 00:00:00'"
DAYS = 90
# Chance from 0 to 1 of a number and a purpose; and 1 to n, where 1 comes most (Zipf).
MACROS = """
create macro chance(n, salt) as hash(n * 64 + salt) / 18446744073709551616.0;
create macro likely(n, salt, most) as floor(exp(chance(n, salt) * ln(most + 1)))::integer;
create macro lists(name) as map {
  'event': ['$pageview', '$autocapture', '$pageleave', 'feature_used', 'plan_viewed', 'checkout_started',
            'purchase_completed', 'user_signed_up', 'invite_sent'],
  'browser': ['Chrome', 'Mobile Safari', 'Safari', 'Firefox', 'Microsoft Edge', 'Chrome iOS', 'Samsung Internet',
              'Opera'] || list_transform(range(9, 33), lambda i: 'Browser ' || i),
  'os': ['Windows', 'Mac OS X', 'iOS', 'Android', 'Linux', 'Chrome OS'],
  'country': ['US', 'DE', 'GB', 'FR', 'IN', 'BR', 'CA', 'JP', 'AU', 'NL'] ||
             list_transform(range(30), lambda i: 'X' || i),
  'utm': ['google', 'newsletter', 'twitter', 'linkedin', 'facebook', 'bing', 'partner', 'reddit', 'podcast'],
  'path': ['/', '/pricing', '/docs', '/blog', '/signup', '/login', '/dashboard', '/settings', '/billing', '/checkout']
          || list_transform(range(25), lambda i: '/blog/post-' || i)
          || list_transform(range(25), lambda i: '/docs/page-' || i),
  'plan': ['free', 'starter', 'pro', 'enterprise']}[name];
create macro event_of(u) as case when u < .55 then 1 when u < .75 then 2 when u < .83 then 3 when u < .91 then 4
  when u < .945 then 5 when u < .97 then 6 when u < .98 then 7 when u < .99 then 8 else 9 end;
"""
# The first of a person's sessions is mostly anonymous. A third of the persons were there before the first day.
SESSIONS = """
create table sessions as
select s, person, row_number() over (partition by person order by start, s) as visit, start, length,
       sum(length) over (order by s) - length as first
from (select s, person, least(1 + floor(-4 * ln(chance(s, 2)))::integer, 40) as length,
             (came + (chance(s, 3) ** 1.5 * ({days} * 86400e6 - came))::bigint) as start
      from (select s, person, case when chance(person, 4) < .3 then 0
                                   else (chance(person, 5) * {days} * 86300e6)::bigint end as came
            from (select s, floor({persons} * chance(s, 1) ** 2)::integer as person from range({events} // 3) t(s))))
"""
MOMENTS = """
create table moments as
select first + j as i, s, person, j, visit = 1 and chance(s, 6) < .8 as anonymous, {start} + to_microseconds(
           start + j * 50_000_000 + (chance(first + j, 7) * 49e6)::bigint
           + case when chance(s, 8) < .02 and j > 3 then 2_400_000_000 else 0 end) as moment
from (select s, person, visit, start, first, unnest(range(length)) as j from sessions)
where i < {events} order by moment, i
"""
EVENTS = """
select md5('e' || i)::uuid::varchar as uuid, event,
       case when anonymous then 'anon-' || md5('a' || person) else 'user-' || person end as distinct_id,
       md5('p' || person)::uuid::varchar as person_id, moment as timestamp,
       moment + interval 1500 millisecond as created_at,
       concat('{{', case when chance(i, 9) < .97 then '"$browser":"' || browser || '",' end,
         '"$browser_version":', 100 + person % 30, ',"$os":"', os, '","$device_type":"',
         case when os in ('iOS', 'Android') then 'Mobile' else 'Desktop' end,
         '","$current_url":"https://app.example.com', path, case when source is not null then '?utm_source=' || source
         end, '","$pathname":"', path, '","$host":"app.example.com","$referring_domain":"',
         case when source = 'google' then 'www.google.com' else '$direct' end, '","$session_id":"', md5('s' || s),
         '","$lib":"web","$lib_version":"1.', person % 200, '.0","$screen_width":', 1280 + person % 5 * 160,
         ',"$screen_height":', 720 + person % 5 * 90, ',"$geoip_country_code":"', country,
         '","$geoip_city_name":"City ', person % 500, '","$insert_id":"', md5('i' || i), '","plan":"', plan,
         '","$active_feature_flags":["flag-a","flag-b"]', case when source is not null then
         ',"utm_source":"' || source || '","utm_medium":"cpc","utm_campaign":"c' || s % 5 || '"' end,
         case when event in ('checkout_started', 'purchase_completed') then
         ',"amount":' || round(-40 * ln(chance(i, 10) * chance(i, 11)), 2) || ',"currency":"USD","items":' || 1 + i % 5
         end, '}}') as properties,
       concat('{{"email":"user', person, '@example.com","plan":"', plan, '","company":"Company ', person % 997,
         '","$initial_browser":"', browser, '","age":', 18 + person % 50, '}}') as person_properties
from (select *, lists('event')[case when j = 0 then 1 else event_of(chance(i, 12)) end] as event,
             lists('browser')[likely(person, 13, 32)] as browser, lists('os')[likely(person, 14, 6)] as os,
             lists('country')[likely(person, 15, 40)] as country, lists('plan')[likely(person, 16, 4)] as plan,
             lists('path')[likely(i, 17, 60)] as path,
             case when chance(s, 18) < .5 then lists('utm')[likely(s, 19, 9)] end as source
      from moments)
"""


def generate(events: int, into: Path) -> None:
    """Write that many events, in order of time; a person for each ten."""
    numbers = {"events": events, "persons": max(1, events // 10), "days": DAYS, "start": START}
    with tempfile.TemporaryDirectory(dir=into.parent) as workshop, duckdb.connect(f"{workshop}/made.duckdb") as con:
        con.execute("set timezone = 'UTC'")
        for statement in (MACROS, SESSIONS, MOMENTS):
            con.execute(statement.format(**numbers) if statement is not MACROS else statement)
        half = into.with_suffix(".half")
        con.execute(f"copy ({EVENTS.format()}) to '{half}' (format parquet, compression zstd, row_group_size 122880)")
        half.replace(into)


if __name__ == "__main__":
    generate(int(sys.argv[1]), Path(sys.argv[2]))
