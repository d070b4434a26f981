"""Values of enumerations that are called as people call them."""

from app.core.choice_labels import meant_choice
from app.resources.party import PartyRole
from app.resources.status import AgreementStatus


def test_a_value_is_found_by_its_labels_and_usual_spellings() -> None:
    roles, statuses = [*map(str, PartyRole)], [*map(str, AgreementStatus)]
    found = {
        text: meant_choice(text, choices)
        for text, choices in (
            ("подписан", statuses),
            ("Поставщик", roles),
            ("seller", roles),
            ("wheat", roles),
        )
    }
    assert found == {
        "подписан": " Did you mean 'signed'?",
        "Поставщик": " Did you mean 'supplier'?",
        "seller": " Did you mean 'supplier'?",
        "wheat": "",
    }
