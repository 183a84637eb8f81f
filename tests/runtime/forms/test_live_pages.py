"""Values that are worked out when read, as the pages show them."""

from html import unescape

import make
from served import Site
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.grants import give
from careloom.platform.records.submit import change

FIELDS = {
    "name": make.field(title="Name"),
    "guest": make.link("guest"),
    "level": make.field(
        "choice", title="Level", x_value="guest.level", x_options=make.fixed("gold", "silver")
    ),
    "owes": make.field("money", title="Owes", x_value="guest.owes * 2"),
    "gift": make.field(title="Gift", x_visible='guest.level = "gold"'),
}


def test_a_live_value_stands_in_list_record_form_and_export(site: Site) -> None:
    level = make.field("choice", x_options=make.fixed("gold", "silver"))
    guest = {"name": make.field(), "level": level, "owes": make.field("money")}
    make.publish(site.database, "form", make.form("guest", guest, x_label="name"))
    make.publish(site.database, "form", make.form("stay", FIELDS, x_label="name"))
    guest["stays"] = make.field("number", title="Stays", x_value='COUNT(RELATED("stay", "guest"))')
    make.publish(site.database, "form", make.form("guest", guest, x_label="name"))
    whole = [make.rule("all", "read", "create", "change", "export")]
    make.publish(site.database, "role", make.role("host", {"guest": whole, "stay": whole}))
    made = make.record(site.database, "guest", name="Zhou", level="gold", owes="10.25")
    other = make.record(site.database, "guest", name="Li", level="silver", owes="3")
    stay = make.record(site.database, "stay", name="stay-one", guest=str(made.id))
    make.record(site.database, "stay", name="stay-two", guest=str(other.id))
    boss = site.actor("manager")
    assert boss.person_id and boss.unit_id
    given = (boss.person_id, "host", boss.unit_id)
    site.database.write(lambda session: give(session, SYSTEM, *given))
    host = site.client("manager")
    shown = unescape(host.get("/records/stay?w.level=gold").text)
    assert "stay-one" in shown and "20.50" in shown and "stay-two" not in shown
    ordered = host.get("/records/stay?sort=owes").text
    assert ordered.index("stay-two") < ordered.index("stay-one")
    assert "20.50" in unescape(host.get(f"/records/stay/{stay.id}").text)
    form = host.get(f"/records/stay/{stay.id}/edit")
    assert form.status == 200 and 'name="owes"' not in form.text
    # what follows from a record that the page does not know, the server alone judges
    assert 'name="gift"' in form.text and '"hop"' not in unescape(form.text)

    def raised(session: Session) -> None:
        change(session, SYSTEM, "guest", made.id, {"owes": "11"})

    site.database.write(raised)
    export = host.http.get("/api/records/stay/export?format=csv")
    assert "22.00" in export.get_data(as_text=True)

    make.record(site.database, "stay", name="stay-three", guest=str(other.id))
    ordered = host.get("/records/guest?sort=-stays").text
    assert ordered.index("Li") < ordered.index("Zhou")
    chosen = host.get("/records/guest?w.stays=2").text
    assert "Li" in chosen and "Zhou" not in chosen
    export = host.http.get("/api/records/guest/export?format=csv").get_data(as_text=True)
    assert [line.split(",")[-1].strip('"') for line in export.split()[1:]] == ["2", "1"]
