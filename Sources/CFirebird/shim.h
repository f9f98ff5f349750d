#include <stdint.h>
#include <stdlib.h>

// The part of Firebird's C interface that patchd uses, as its API guide describes it. Declared here so that building
// needs no Firebird; the library itself is loaded when a folder needs it. The interface is the same since Firebird 2.5.

typedef intptr_t patch_fb_status;
typedef unsigned int patch_fb_handle;

typedef struct {
    int32_t high;
    uint32_t low;
} patch_fb_blob_id;

// One value of a row or one parameter: XSQLVAR.
typedef struct {
    short type;
    short scale;
    short subtype;
    short length;
    char *data;
    short *null;
    short name_length;
    char name[32];
    short relation_length;
    char relation[32];
    short owner_length;
    char owner[32];
    short alias_length;
    char alias[32];
} patch_fb_value;

// XSQLDA, which ends in as many values as were allocated.
typedef struct {
    short version;
    char id[8];
    int32_t size;
    short allocated;
    short count;
    patch_fb_value values[1];
} patch_fb_row;

static inline patch_fb_row *patch_fb_row_new(short count) {
    size_t size = sizeof(patch_fb_row) + (count > 1 ? count - 1 : 0) * sizeof(patch_fb_value);
    patch_fb_row *row = (patch_fb_row *)calloc(1, size);
    if (row) {
        row->version = 1;
        row->allocated = count;
    }
    return row;
}

static inline patch_fb_value *patch_fb_row_value(patch_fb_row *row, short index) { return row->values + index; }

// What a transaction begins with: ISC_TEB.
typedef struct {
    patch_fb_handle *database;
    long length;
    const char *parameters;
} patch_fb_transaction_block;

typedef patch_fb_status (*patch_fb_attach)(patch_fb_status *, short, const char *, patch_fb_handle *, short, const char *);
typedef patch_fb_status (*patch_fb_end)(patch_fb_status *, patch_fb_handle *);
typedef patch_fb_status (*patch_fb_start)(patch_fb_status *, patch_fb_handle *, short, void *);
typedef patch_fb_status (*patch_fb_allocate)(patch_fb_status *, patch_fb_handle *, patch_fb_handle *);
typedef patch_fb_status (*patch_fb_prepare)(patch_fb_status *, patch_fb_handle *, patch_fb_handle *, unsigned short,
                                            const char *, unsigned short, patch_fb_row *);
typedef patch_fb_status (*patch_fb_describe)(patch_fb_status *, patch_fb_handle *, unsigned short, patch_fb_row *);
typedef patch_fb_status (*patch_fb_execute)(patch_fb_status *, patch_fb_handle *, patch_fb_handle *, unsigned short,
                                            const patch_fb_row *, const patch_fb_row *);
typedef patch_fb_status (*patch_fb_fetch)(patch_fb_status *, patch_fb_handle *, unsigned short, const patch_fb_row *);
typedef patch_fb_status (*patch_fb_free)(patch_fb_status *, patch_fb_handle *, unsigned short);
typedef patch_fb_status (*patch_fb_info)(patch_fb_status *, patch_fb_handle *, short, const char *, short, char *);
typedef patch_fb_status (*patch_fb_open_blob)(patch_fb_status *, patch_fb_handle *, patch_fb_handle *, patch_fb_handle *,
                                              patch_fb_blob_id *, short, const unsigned char *);
typedef patch_fb_status (*patch_fb_create_blob)(patch_fb_status *, patch_fb_handle *, patch_fb_handle *,
                                                patch_fb_handle *, patch_fb_blob_id *, short, const char *);
typedef patch_fb_status (*patch_fb_get_segment)(patch_fb_status *, patch_fb_handle *, unsigned short *, unsigned short,
                                                char *);
typedef patch_fb_status (*patch_fb_put_segment)(patch_fb_status *, patch_fb_handle *, unsigned short, const char *);
typedef patch_fb_status (*patch_fb_cancel)(patch_fb_status *, patch_fb_handle *, unsigned short);
typedef int (*patch_fb_interpret)(char *, unsigned int, const patch_fb_status **);
typedef void (*patch_fb_sqlstate)(char *, const patch_fb_status *);
typedef patch_fb_status (*patch_fb_wait_for_event)(patch_fb_status *, patch_fb_handle *, short, const unsigned char *,
                                                   unsigned char *);
