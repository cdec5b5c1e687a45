"""The tables of a project's saved objects. Times are UTC text of fixed width, so that they sort; JSON is text.

`deleted`, `enabled` and the like are 0 or 1. A table's rows are read and written by the module of its subject.
"""

from __future__ import annotations

FIRST = """
create table users (
    id integer primary key, uuid text not null, distinct_id text not null, email text not null unique,
    first_name text not null, last_name text not null default '', created_at text not null
);
create table projects (
    id integer primary key, uuid text not null, organization text not null, organization_name text not null,
    name text not null, timezone text not null, api_token text not null, week_start_day integer not null default 0,
    test_account_filters text not null default '[]', created_at text not null
);
create table keys (
    id text primary key, user_id integer not null references users, label text not null, hash text not null unique,
    mask text not null, scopes text not null, scoped_teams text not null default '[]', created_at text not null
);
create table insights (
    id integer primary key autoincrement, short_id text not null unique, name text, derived_name text,
    description text, query text, filters text not null default '{}', saved integer not null default 1,
    favorited integer not null default 0, deleted integer not null default 0, "order" integer,
    is_sample integer not null default 0, created_at text not null, created_by integer references users,
    updated_at text not null, last_modified_at text not null, last_modified_by integer references users
);
create table insight_tags (
    insight_id integer not null references insights, tag text not null, primary key (insight_id, tag)
) without rowid;
create table dashboards (
    id integer primary key autoincrement, name text not null default '', description text not null default '',
    pinned integer not null default 0, tags text not null default '[]', filters text not null default '{}',
    deleted integer not null default 0, created_at text not null, created_by integer references users
);
create table tiles (
    id integer primary key autoincrement, dashboard_id integer not null references dashboards,
    insight_id integer not null references insights, deleted integer not null default 0, color text,
    layouts text not null default '{}', unique (insight_id, dashboard_id)
);
create index tiles_of_dashboard on tiles (dashboard_id);
create table views (
    insight_id integer not null references insights, user_id integer not null, last_viewed_at text not null,
    primary key (insight_id, user_id)
) without rowid;
create table activity (
    id integer primary key autoincrement, insight_id integer not null references insights, user_id integer,
    activity text not null, detail text not null, created_at text not null
);
create index activity_of_insight on activity (insight_id, id);
create table sharing (
    id integer primary key autoincrement, insight_id integer not null references insights,
    enabled integer not null default 0, access_token text not null unique, settings text,
    password_required integer not null default 0, created_at text not null, expires_at text
);
create index sharing_of_insight on sharing (insight_id, expires_at);
create table share_passwords (
    id integer primary key autoincrement, sharing_id integer not null references sharing, hash text not null,
    note text not null default '', created_by integer, created_at text not null, is_active integer not null default 1
);
create table thresholds (
    id text primary key, insight_id integer not null references insights, name text not null default '',
    configuration text not null, created_at text not null
);
create index thresholds_of_insight on thresholds (insight_id);
create table alerts (
    id text primary key, insight_id integer not null references insights,
    threshold_id text not null references thresholds, name text not null default '', condition text not null,
    config text not null, subscribed_users text not null default '[]', calculation_interval text not null,
    enabled integer not null default 1, skip_weekend integer, snoozed_until text, state text not null,
    last_value real, last_checked_at text, last_notified_at text, next_check_at text,
    created_at text not null, created_by integer references users
);
create index alerts_of_insight on alerts (insight_id);
create table checks (
    id text primary key, alert_id text not null references alerts on delete cascade, calculated_value real,
    state text not null, created_at text not null
);
create index checks_of_alert on checks (alert_id, created_at);
create table results (
    key text primary key, rest text not null, last_refresh text not null, events_version text not null,
    results blob not null
);
create index results_by_age on results (last_refresh);
"""
DEFINITIONS = """
create table actions (
    id integer primary key autoincrement, name text not null default '', description text not null default '',
    tags text not null default '[]', steps text not null default '[]', deleted integer not null default 0,
    created_at text not null, updated_at text not null, created_by integer references users
);
create table cohorts (
    id integer primary key autoincrement, name text not null default '', description text not null default '',
    filters text not null default '{}', groups text not null default '[]', is_static integer not null default 0,
    persons text not null default '[]', deleted integer not null default 0,
    created_at text not null, updated_at text not null, created_by integer references users
);
"""
SETTINGS = """
alter table projects add column path_cleaning_filters text not null default '[]';
alter table projects add column aggregate_users_by_distinct_id integer not null default 0
"""
# What each version of the file added.
ADDED = (FIRST, DEFINITIONS, SETTINGS)
VERSION = len(ADDED)
