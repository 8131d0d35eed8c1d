"""The database: tables, migrations, one repository per noun."""
