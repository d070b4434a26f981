"""The tables."""

from typing import Any
from uuid import uuid4

from django.db import models


def text(**options: Any) -> Any:
    """A column that may be empty."""
    return models.TextField(null=True, blank=True, **options)


class Record(models.Model):
    """What all records have."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    ref = models.CharField(max_length=120, null=True, unique=True)
    note = text()
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Mission(Record):
    """A mission."""

    title = models.TextField()
    kind = models.CharField(max_length=32)
    status = models.CharField(max_length=32)

    class Meta:
        db_table = "mission"


class Organization(Record):
    """A company."""

    kind = models.CharField(max_length=32)
    name = models.TextField()
    name_en = text()
    other_names = models.JSONField(default=list)
    legal_form = text()
    country = text()
    region = text()
    city = text()
    sectors = models.JSONField(default=list)
    parent_id = models.UUIDField(null=True)
    is_named = models.BooleanField(default=True)
    merged_into_id = models.UUIDField(null=True)

    class Meta:
        db_table = "organization"


class Agreement(Record):
    """An agreement."""

    mission = models.ForeignKey(Mission, models.PROTECT, null=True)
    event_id = models.UUIDField(null=True)
    title = models.TextField()
    title_en = text()
    subject = text()
    subject_en = text()
    instrument = models.CharField(max_length=32)
    bindingness = models.CharField(max_length=32, default="binding")
    status = models.CharField(max_length=32)
    signed = text()
    signed_earliest = models.DateField(null=True)
    signed_latest = models.DateField(null=True)
    due = text()
    due_earliest = models.DateField(null=True)
    due_latest = models.DateField(null=True)
    amount = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, null=True)
    amount_bound = text()
    amount_kind = text()
    amount_period = text()
    amount_years = models.IntegerField(null=True)
    amount_text = text()
    sectors = models.JSONField(default=list)
    certainty = models.CharField(max_length=32, default="certain")
    readings = models.JSONField(default=list)
    place_country = text()
    place_region = text()
    place_city = text()

    class Meta:
        db_table = "agreement"
        indexes = [
            models.Index(fields=["status", "amount", "id"], name="ix_status_amount"),
            models.Index(fields=["amount", "id"], name="ix_amount"),
        ]


class Party(models.Model):
    """Who takes part in an agreement."""

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="parties")
    position = models.IntegerField()
    organization = models.ForeignKey(Organization, models.PROTECT, null=True)
    description = text()
    role = models.CharField(max_length=32)
    share_percent = models.DecimalField(max_digits=7, decimal_places=4, null=True)

    class Meta:
        db_table = "agreement_party"
        ordering = ["position"]
