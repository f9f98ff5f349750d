#include <sqlite3.h>

// What Swift cannot say: SQLITE_TRANSIENT is a cast, sqlite3_db_config is variadic.

// Binds a copy of the text.
static inline int patch_sqlite_bind(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

// SQLITE_DBCONFIG_DEFENSIVE: SQL can neither write the schema's own table nor switch the rollback journal off.
static inline int patch_sqlite_defend(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}
