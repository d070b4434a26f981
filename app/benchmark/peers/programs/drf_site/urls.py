"""Serializers, view sets and their addresses."""

from typing import Any

from django.urls import include, path
from rest_framework import pagination, routers, serializers, viewsets

from .models import Agreement, Organization, Party


class OrganizationSerializer(serializers.ModelSerializer):
    """A company, as it is answered."""

    class Meta:
        model = Organization
        fields = "__all__"


class PartySerializer(serializers.ModelSerializer):
    """A party with its organization."""

    organization = OrganizationSerializer()

    class Meta:
        model = Party
        fields = ["organization", "description", "role", "share_percent"]


class BulkCreation(serializers.ListSerializer):
    """Many at once, checked one by one and stored together, as the framework's guide has it."""

    def create(self, validated_data: Any) -> Any:
        return Agreement.objects.bulk_create(Agreement(**row) for row in validated_data)


class AgreementSerializer(serializers.ModelSerializer):
    """An agreement."""

    class Meta:
        model = Agreement
        fields = "__all__"
        list_serializer_class = BulkCreation


class FullAgreementSerializer(serializers.ModelSerializer):
    """An agreement with its parties."""

    parties = PartySerializer(many=True)

    class Meta:
        model = Agreement
        fields = "__all__"


class DearestFirst(pagination.CursorPagination):
    """Pages that need no count."""

    page_size = 50
    ordering = ("-amount", "-id")


class NewestFirst(pagination.CursorPagination):
    """Pages that need no count."""

    page_size = 50
    ordering = "-id"


class Agreements(viewsets.ModelViewSet):
    """The agreements, dearest first."""

    queryset = Agreement.objects.all()
    serializer_class = AgreementSerializer
    pagination_class = DearestFirst
    filterset_fields = ["status"]
    search_fields = ["title", "subject"]

    def get_serializer(self, *args: Any, **options: Any) -> Any:
        """A list is stored as a list."""
        if isinstance(options.get("data"), list):
            options["many"] = True
        return super().get_serializer(*args, **options)


class FoundAgreements(viewsets.ReadOnlyModelViewSet):
    """The agreements by words, newest first."""

    queryset = Agreement.objects.all()
    serializer_class = AgreementSerializer
    pagination_class = NewestFirst
    filterset_fields = ["status"]
    search_fields = ["title", "subject"]


class FullAgreements(viewsets.ReadOnlyModelViewSet):
    """The agreements with their parties: a question for each table."""

    queryset = Agreement.objects.prefetch_related("parties__organization")
    serializer_class = FullAgreementSerializer
    pagination_class = DearestFirst
    filterset_fields = ["status"]


router = routers.SimpleRouter(trailing_slash=False)
router.register("agreements", Agreements)
router.register("found-agreements", FoundAgreements, "found")
router.register("full-agreements", FullAgreements, "full")
urlpatterns = [path("", include(router.urls))]
