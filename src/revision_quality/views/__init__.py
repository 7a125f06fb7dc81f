"""Views: tables kept in step with the streams. Each can be dropped and rebuilt from them."""
