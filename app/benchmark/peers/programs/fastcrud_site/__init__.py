"""The same agreements with FastCRUD: its router of endpoints over async SQLAlchemy models.

python -m fastcrud_site URL organization=FILE …         makes the tables and loads the files
uvicorn --factory fastcrud_site.api:create_app          serves the database of BENCHMARK_URL
"""
