"""The operations as SQL functions of PostgreSQL, in the schema `formula`.

`STATEMENTS` goes into a revision of the database, in this order; each is CREATE OR REPLACE, so a
later revision may run them again. The database must be UTF-8 and PostgreSQL built with ICU (all
packaged ones are). A moment's zone comes last; WORKDAY and NETWORKDAYS are given the calendar.
"""

from __future__ import annotations

SCHEMA = "formula"


def _sql(name: str, args: str, result: str, body: str, strict: bool = True) -> str:
    """A function in SQL. Those that are not STRICT can be inlined by the planner."""
    mark = " STRICT" if strict else ""
    return (
        f"CREATE OR REPLACE FUNCTION formula.{name}({args}) RETURNS {result}\n"
        f"LANGUAGE sql IMMUTABLE PARALLEL SAFE{mark} AS $$ {body.strip()} $$"
    )


def _loop(name: str, args: str, result: str, body: str) -> str:
    """A function in PL/pgSQL, for what needs a loop or a name for something in between."""
    return (
        f"CREATE OR REPLACE FUNCTION formula.{name}({args}) RETURNS {result}\n"
        f"LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$\n{body.strip()}\n$$"
    )


_NUMBERS = (
    _sql(
        "fit_slow", "v numeric", "numeric",
        """SELECT CASE WHEN abs(w) < 1e28 THEN w END FROM (SELECT CASE
            WHEN abs(v) >= 1e28 THEN v
            WHEN abs(v) < 1 THEN round(v, 28)
            ELSE round(v, 28 - length(trunc(abs(v))::text)) END AS w) AS s""",
    ),
    _sql(
        "fit", "v numeric", "numeric",
        """SELECT CASE WHEN v IS NULL THEN NULL
            WHEN abs(v) < 1e14 AND scale(v) <= 14 THEN v ELSE formula.fit_slow(v) END""",
        strict=False,
    ),
    _sql("x_add", "a numeric, b numeric", "numeric", "SELECT formula.fit(a + b)"),
    _sql("x_sub", "a numeric, b numeric", "numeric", "SELECT formula.fit(a - b)"),
    _sql("x_mul", "a numeric, b numeric", "numeric", "SELECT formula.fit(a * b)"),
    _sql(
        "x_div", "a numeric, b numeric", "numeric",
        "SELECT formula.fit(round(a, 60) / nullif(b, 0))",
    ),
    _sql("x_neg", "a numeric", "numeric", "SELECT -a"),
    _sql("x_abs", "a numeric", "numeric", "SELECT abs(a)"),
    _sql("x_int", "a numeric", "numeric", "SELECT floor(a)"),
    _sql(
        "x_mod", "a numeric, b numeric", "numeric",
        """SELECT formula.fit(CASE WHEN r <> 0 AND (r < 0) <> (b < 0) THEN r + b ELSE r END)
            FROM (SELECT mod(a, nullif(b, 0)) AS r) AS s""",
    ),
    _loop(
        "x_power", "a numeric, n numeric", "numeric",
        """DECLARE result numeric := 1;
        BEGIN
            IF n <> trunc(n) OR abs(n) > 64 THEN RETURN NULL; END IF;
            FOR i IN 1 .. abs(n)::int LOOP result := formula.fit(result * a); END LOOP;
            IF n < 0 THEN RETURN formula.x_div(1, result); END IF;
            RETURN result;
        END""",
    ),
    _sql("places", "n numeric", "int", "SELECT greatest(-28, least(28, trunc(n)))::int"),
    _sql(
        "x_round", "a numeric, n numeric", "numeric",
        "SELECT formula.fit(round(a, formula.places(n)))",
    ),
    _sql(
        "x_round_down", "a numeric, n numeric", "numeric",
        "SELECT formula.fit(trunc(a, formula.places(n)))",
    ),
    _sql(
        "x_round_up", "a numeric, n numeric", "numeric",
        """SELECT formula.fit(CASE WHEN t = a THEN a
            ELSE t + sign(a) * ('1e' || (-formula.places(n)))::numeric END)
            FROM (SELECT trunc(a, formula.places(n)) AS t) AS s""",
    ),
    _sql(
        "x_value_of", "t text", "numeric",
        r"""SELECT CASE WHEN t ~ '^[+-]?[0-9]{1,28}(\.[0-9]{1,28})?$'
            THEN formula.fit(t::numeric) END""",
    ),
    _sql("x_text_of_number", "a numeric", "text", "SELECT trim_scale(a)::text"),
    _sql(
        "x_format_number", "a numeric, p text", "text",
        r"""SELECT CASE WHEN left(p, 1) = 'g'
            THEN regexp_replace(split_part(f, '.', 1), '([0-9])(?=([0-9]{3})+$)', '\1,', 'g')
                || CASE WHEN strpos(f, '.') > 0 THEN '.' || split_part(f, '.', 2) ELSE '' END
            ELSE f END || CASE WHEN right(p, 1) = '%' THEN '%' ELSE '' END
            FROM (SELECT round(CASE WHEN right(p, 1) = '%' THEN formula.fit(a * 100) ELSE a END,
                substr(p, 2, length(p) - 2)::int)::text AS f) AS s""",
    ),
)  # fmt: skip

_SPACES = "".join(
    f"\\{code:04x}"
    for code in (
        9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
        0x205F, 0x3000,
    )
)  # fmt: skip
_TEXTS = (
    _sql(
        "kept", "t text", "text",
        """SELECT CASE WHEN octet_length(w) <= 32768 THEN nullif(w, '') END FROM (SELECT
            CASE WHEN octet_length(t) = char_length(t) THEN t ELSE normalize(t, NFC) END AS w
            ) AS s""",
    ),
    _sql("n", "v numeric", "int", "SELECT least(trunc(v), 1000000)::int"),
    _sql("x_len", "t text", "numeric", "SELECT char_length(t)::numeric"),
    _sql(
        "x_left", "t text, v numeric", "text",
        "SELECT CASE WHEN v >= 0 THEN nullif(left(t, formula.n(v)), '') END",
    ),
    _sql(
        "x_right", "t text, v numeric", "text",
        "SELECT CASE WHEN v >= 0 THEN nullif(right(t, formula.n(v)), '') END",
    ),
    _sql(
        "x_mid", "t text, s numeric, v numeric", "text",
        """SELECT CASE WHEN v >= 0 AND s >= 1
            THEN nullif(substr(t, formula.n(s), formula.n(v)), '') END""",
    ),
    _sql("x_upper", "t text", "text", 'SELECT formula.kept(upper(t COLLATE "und-x-icu"))'),
    _sql("x_lower", "t text", "text", 'SELECT formula.kept(lower(t COLLATE "und-x-icu"))'),
    _sql("x_trim", "t text", "text", f"SELECT nullif(btrim(t, U&'{_SPACES}'), '')"),
    _sql("x_contains", "t text, p text", "boolean", "SELECT strpos(t, p) > 0"),
    _sql("x_starts_with", "t text, p text", "boolean", "SELECT left(t, length(p)) = p"),
    _sql("x_ends_with", "t text, p text", "boolean", "SELECT right(t, length(p)) = p"),
    _sql(
        "x_replace", "t text, o text, w text", "text",
        "SELECT CASE WHEN o IS NULL THEN t ELSE formula.kept(replace(t, o, coalesce(w, ''))) END",
        strict=False,
    ),
    _sql(
        "x_concat", "VARIADIC t text[]", "text", "SELECT formula.kept(array_to_string(t, ''))",
        strict=False,
    ),
    _sql(
        "x_phone_mask", "t text", "text",
        """SELECT CASE WHEN length(t) < 8 THEN repeat('*', length(t))
            ELSE left(t, 3) || repeat('*', length(t) - 7) || right(t, 4) END""",
    ),
)  # fmt: skip

_DATES = (
    _sql(
        "in_years", "d date", "date",
        "SELECT CASE WHEN d BETWEEN '0001-01-01'::date AND '9999-12-31'::date THEN d END",
    ),
    _sql(
        "month_end", "y int, m int", "int",
        """SELECT CASE WHEN m IN (4, 6, 9, 11) THEN 30 WHEN m <> 2 THEN 31
            WHEN y % 4 = 0 AND (y % 100 <> 0 OR y % 400 = 0) THEN 29 ELSE 28 END""",
    ),
    _sql(
        "x_date_of", "y numeric, m numeric, d numeric", "date",
        """SELECT CASE WHEN y = trunc(y) AND m = trunc(m) AND d = trunc(d)
            AND y BETWEEN 1 AND 9999 AND m BETWEEN 1 AND 12 AND d BETWEEN 1 AND 31
            THEN CASE WHEN d <= formula.month_end(y::int, m::int)
                THEN make_date(y::int, m::int, d::int) END END""",
    ),
    _sql(
        "x_date_of_text", "t text", "date",
        """SELECT CASE WHEN t ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN formula.x_date_of(
            substr(t, 1, 4)::numeric, substr(t, 6, 2)::numeric, substr(t, 9, 2)::numeric) END""",
    ),
    _sql("x_year", "d date", "numeric", "SELECT extract(year FROM d)"),
    _sql("x_month", "d date", "numeric", "SELECT extract(month FROM d)"),
    _sql("x_day", "d date", "numeric", "SELECT extract(day FROM d)"),
    _sql(
        "x_weekday", "d date, n numeric", "numeric",
        """SELECT CASE WHEN n = 1 THEN extract(dow FROM d) + 1
            WHEN n = 2 THEN extract(isodow FROM d)
            WHEN n = 3 THEN extract(isodow FROM d) - 1 END""",
    ),
    _loop(
        "add_months", "d date, n numeric", "date",
        """DECLARE months numeric := extract(year FROM d) * 12 + extract(month FROM d) - 1
            + trunc(n);
            y int; m int;
        BEGIN
            IF months < 12 OR months >= 120000 THEN RETURN NULL; END IF;
            y := months::int / 12; m := months::int % 12 + 1;
            RETURN make_date(y, m, least(extract(day FROM d)::int, formula.month_end(y, m)));
        END""",
    ),
    _sql(
        "x_add_days", "d date, n numeric", "date",
        """SELECT CASE WHEN abs(trunc(n)) <= 4000000
            THEN formula.in_years(d + trunc(n)::int) END""",
    ),
    _sql("x_days_add", "n numeric, d date", "date", "SELECT formula.x_add_days(d, n)"),
    _sql("x_sub_days", "d date, n numeric", "date", "SELECT formula.x_add_days(d, -n)"),
    _sql("x_days_between", "a date, b date", "numeric", "SELECT (a - b)::numeric"),
    _sql(
        "x_date_add", "d date, n numeric, u text", "date",
        """SELECT CASE u WHEN 'day' THEN formula.x_add_days(d, n)
            WHEN 'week' THEN formula.x_add_days(d, trunc(n) * 7)
            WHEN 'month' THEN formula.add_months(d, n)
            ELSE formula.add_months(d, trunc(n) * 12) END""",
    ),
    _sql("x_edate", "d date, n numeric", "date", "SELECT formula.add_months(d, n)"),
    _sql(
        "x_eomonth", "d date, n numeric", "date",
        """SELECT m + formula.month_end(extract(year FROM m)::int, extract(month FROM m)::int)
            - extract(day FROM m)::int FROM (SELECT formula.add_months(d, n) AS m) AS s""",
    ),
    _sql(
        "months_between", "a date, b date", "int",
        """SELECT ((extract(year FROM b) - extract(year FROM a)) * 12 + extract(month FROM b)
            - extract(month FROM a))::int
            - CASE WHEN extract(day FROM b) < extract(day FROM a) THEN 1 ELSE 0 END""",
    ),
    _loop(
        "x_date_diff", "a date, b date, u text", "numeric",
        """BEGIN
            IF b < a THEN RETURN -formula.x_date_diff(b, a, u); END IF;
            RETURN CASE u WHEN 'day' THEN b - a WHEN 'week' THEN (b - a) / 7
                WHEN 'month' THEN formula.months_between(a, b)
                ELSE formula.months_between(a, b) / 12 END;
        END""",
    ),
    _sql(
        "x_age", "b date, o date", "numeric",
        "SELECT CASE WHEN o >= b THEN formula.x_date_diff(b, o, 'year') END",
    ),
    _loop(
        "x_networkdays", "a date, b date, off date[], worked date[], f date, l date", "numeric",
        """BEGIN
            IF a < f OR a > l OR b < f OR b > l THEN RETURN NULL; END IF;
            IF b < a THEN RETURN -formula.x_networkdays(b, a, off, worked, f, l); END IF;
            RETURN formula.weekdays(b) - formula.weekdays(a - 1)
                - (SELECT count(*) FROM unnest(off) AS d WHERE d BETWEEN a AND b)
                + (SELECT count(*) FROM unnest(worked) AS d WHERE d BETWEEN a AND b);
        END""",
    ),
    # Mondays to Fridays since Monday, 1 January 1900, up to and with d.
    _sql(
        "weekdays", "d date", "int",
        """SELECT n / 7 * 5 + least(n % 7, 5) FROM (SELECT d - '1900-01-01'::date + 1 AS n)
            AS s""",
    ),
    _loop(
        "x_workday", "d date, n numeric, off date[], worked date[], f date, l date", "date",
        """DECLARE steps int := least(greatest(trunc(n), -1000000), 1000000)::int;
            low date; high date; middle date;
        BEGIN
            IF d < f OR d > l THEN RETURN NULL; END IF;
            IF steps = 0 THEN RETURN d; END IF;
            IF steps > 0 THEN
                low := d + 1; high := l;
                IF low > l OR formula.x_networkdays(low, l, off, worked, f, l) < steps
                    THEN RETURN NULL; END IF;
                WHILE low < high LOOP
                    middle := low + (high - low) / 2;
                    IF formula.x_networkdays(d + 1, middle, off, worked, f, l) >= steps
                        THEN high := middle; ELSE low := middle + 1; END IF;
                END LOOP;
                RETURN low;
            END IF;
            low := f; high := d - 1;
            IF high < f OR formula.x_networkdays(f, high, off, worked, f, l) < -steps
                THEN RETURN NULL; END IF;
            WHILE low < high LOOP
                middle := low + (high - low + 1) / 2;
                IF formula.x_networkdays(middle, d - 1, off, worked, f, l) >= -steps
                    THEN low := middle; ELSE high := middle - 1; END IF;
            END LOOP;
            RETURN low;
        END""",
    ),
    _sql("x_text_of_date", "d date", "text", "SELECT to_char(d, 'YYYY-MM-DD')"),
    _sql(
        "stamp", "t timestamp, p text", "text",
        """SELECT replace(replace(replace(replace(replace(replace(replace(replace(replace(
            replace(replace(p, 'yyyy', to_char(t, 'YYYY')), 'MM', to_char(t, 'MM')),
            'M', to_char(t, 'FMMM')), 'dd', to_char(t, 'DD')), 'd', to_char(t, 'FMDD')),
            'HH', to_char(t, 'HH24')), 'H', to_char(t, 'FMHH24')), 'mm', to_char(t, 'MI')),
            'm', to_char(t, 'FMMI')), 'ss', to_char(t, 'SS')), 's', to_char(t, 'FMSS'))""",
    ),
    _sql("x_format_date", "d date, p text", "text", "SELECT formula.stamp(d::timestamp, p)"),
)  # fmt: skip

_MOMENTS = (
    _sql(
        "x_day_of_moment", "m timestamptz, z text", "date",
        "SELECT formula.in_years((m AT TIME ZONE z)::date)",
    ),
    _sql(
        "x_hour", "m timestamptz, z text", "numeric",
        "SELECT extract(hour FROM m AT TIME ZONE z)",
    ),
    _sql(
        "x_minute", "m timestamptz, z text", "numeric",
        "SELECT extract(minute FROM m AT TIME ZONE z)",
    ),
    _sql(
        "x_text_of_moment", "m timestamptz, z text", "text",
        "SELECT to_char(m AT TIME ZONE z, 'YYYY-MM-DD HH24:MI')",
    ),
    _sql(
        "x_format_moment", "m timestamptz, p text, z text", "text",
        "SELECT formula.stamp(m AT TIME ZONE z, p)",
    ),
    _sql(
        "x_span_between", "a timestamptz, b timestamptz", "bigint",
        "SELECT ((extract(epoch FROM a) - extract(epoch FROM b)) * 1000000)::bigint",
    ),
    _sql(
        "span", "v numeric", "bigint",
        "SELECT CASE WHEN abs(v) <= 345600000000000000 THEN v::bigint END",
    ),
    _sql(
        "x_duration", "n numeric, u text", "bigint",
        """SELECT CASE WHEN abs(n) <= 10000000000 THEN formula.span(trunc(n * CASE u
            WHEN 'minute' THEN 60000000 WHEN 'hour' THEN 3600000000
            WHEN 'day' THEN 86400000000 ELSE 604800000000 END)) END""",
    ),
    _sql("x_spans_add", "a bigint, b bigint", "bigint", "SELECT formula.span(a::numeric + b)"),
    _sql("x_spans_sub", "a bigint, b bigint", "bigint", "SELECT formula.span(a::numeric - b)"),
    _sql("x_span_neg", "a bigint", "bigint", "SELECT -a"),
    # Hours, never days: a day of an interval would follow the session's own time zone.
    _sql(
        "x_add_span", "m timestamptz, s bigint", "timestamptz",
        """SELECT CASE WHEN t BETWEEN '0001-01-01T00:00:00Z'::timestamptz
            AND '9999-12-31T23:59:59.999999Z'::timestamptz THEN t END FROM (SELECT m
            + make_interval(hours => (s / 3600000000)::int)
            + (s % 3600000000) * interval '1 microsecond' AS t) AS q""",
    ),
    _sql("x_span_add", "s bigint, m timestamptz", "timestamptz", "SELECT formula.x_add_span(m, s)"),
    _sql(
        "x_sub_span", "m timestamptz, s bigint", "timestamptz",
        "SELECT formula.x_add_span(m, -s)",
    ),
    _sql(
        "x_moment_add", "m timestamptz, n numeric, u text, z text", "timestamptz",
        """SELECT CASE WHEN abs(n) > 1000000000000 THEN NULL
            WHEN u IN ('minute', 'hour')
            THEN formula.x_add_span(m, formula.x_duration(trunc(n), u))
            ELSE (formula.x_date_add((m AT TIME ZONE z)::date, n, u) + (m AT TIME ZONE z)::time)
                AT TIME ZONE z END""",
    ),
    _loop(
        "x_moment_diff", "a timestamptz, b timestamptz, u text, z text", "numeric",
        """BEGIN
            IF u IN ('minute', 'hour') THEN
                RETURN div(formula.x_span_between(b, a)::numeric,
                    CASE u WHEN 'minute' THEN 60000000 ELSE 3600000000 END);
            END IF;
            RETURN formula.x_date_diff((a AT TIME ZONE z)::date, (b AT TIME ZONE z)::date, u);
        END""",
    ),
)  # fmt: skip

STATEMENTS: tuple[str, ...] = (
    "CREATE SCHEMA IF NOT EXISTS formula",
    *_NUMBERS,
    *_TEXTS,
    *_DATES,
    *_MOMENTS,
)
