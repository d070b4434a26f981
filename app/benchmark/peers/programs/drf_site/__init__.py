"""The same agreements with Django REST framework: models, serializers and view sets.

    python -m drf_site organization=FILE …         makes the tables and loads the files
    gunicorn drf_site.wsgi:application             serves

Both in the SQLite file of BENCHMARK_FILE, with DJANGO_SETTINGS_MODULE=drf_site.settings.
"""
