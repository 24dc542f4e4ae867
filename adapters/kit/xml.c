#include "kit/xml.h"

#include <expat.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "isobar/buf.h"
#include "shape_fill.h"

/* Expat copies what it is given: a piece at a time, so that it never has the whole document too. */
#define PIECE ((size_t)64 << 10)

/* An open element whose content somebody asked for, and where that goes. */
struct frame {
    enum frame_kind {
        FRAME_STRUCT,  /* into the struct at `to` */
        FRAME_LIST,    /* its children into the shape_list at `to` */
        FRAME_STRINGS, /* the text of its children into the shape_strings at `to` */
        FRAME_MAP,     /* its children, pairs, into the shape_map at `to` */
        FRAME_PAIR,    /* into `pair`, then into the map of the frame before */
        FRAME_TEXT,    /* its text to where the frame before has it */
    } kind;
    const struct shape *shape;
    void *to;
    size_t room;                     /* elements that the list at `to` has memory for */
    size_t next;                     /* FRAME_STRUCT: where fill_find() goes on */
    const struct shape_field *field; /* FRAME_TEXT in a FRAME_STRUCT */
    struct shape_pair pair;
};

struct reader {
    struct arena *arena;
    XML_Parser expat;
    const struct shape *shape;
    void *ret;
    char *why;
    bool failed;       /* `why` is written */
    bool in_text;      /* a FRAME_TEXT without children is the innermost element */
    unsigned skipping; /* depth inside of an element that nobody asked for */
    unsigned depth;    /* frames in use */
    struct buf text;   /* of the FRAME_TEXT, as far as it has come */
    struct frame frames[XML_DEPTH_MAX];
};

/* Expat's memory: what it has read may be a secret, so it is wiped; and names that nobody asked
 * for, which it never forgets, must not fill the process. An allocator gets no context; all of a
 * parser's life is on one thread. */
static _Thread_local size_t expat_used;

static void *expat_malloc(size_t size)
{
    void *p = expat_used + size < size || expat_used + size > XML_MEMORY_MAX ? NULL : malloc(size);

    expat_used += p ? malloc_usable_size(p) : 0;
    return p;
}

static void expat_free(void *p)
{
    size_t size = p ? malloc_usable_size(p) : 0;

    if (p)
        explicit_bzero(p, size);
    expat_used -= size;
    free(p);
}

static void *expat_realloc(void *p, size_t size)
{
    size_t old = p ? malloc_usable_size(p) : 0;
    void *moved = expat_malloc(size);

    if (moved && p) {
        memcpy(moved, p, old < size ? old : size);
        expat_free(p);
    }
    return moved;
}

static const XML_Memory_Handling_Suite expat_memory = {expat_malloc, expat_realloc, expat_free};

/* Nothing more is heard of Expat. */
static void reader_fail(struct reader *r, const char *why)
{
    snprintf(r->why, 160, "%s", why);
    r->failed = true;
    XML_SetElementHandler(r->expat, NULL, NULL);
    XML_SetCharacterDataHandler(r->expat, NULL);
    XML_StopParser(r->expat, XML_FALSE);
}

static struct frame *reader_push(struct reader *r, enum frame_kind kind, const struct shape *shape,
                                 void *to)
{
    struct frame *f = &r->frames[r->depth++];

    *f = (struct frame){.kind = kind, .shape = shape, .to = to};
    return f;
}

static void push_text(struct reader *r, const struct shape_field *field, void *to)
{
    reader_push(r, FRAME_TEXT, NULL, to)->field = field;
    r->in_text = true;
    buf_reset(&r->text);
}

static void begin_field(struct reader *r, struct frame *f, const char *name)
{
    static const enum frame_kind containers[] = {
        [SHAPE_STRUCT] = FRAME_STRUCT,
        [SHAPE_LIST] = FRAME_LIST,
        [SHAPE_STRINGS] = FRAME_STRINGS,
        [SHAPE_MAP] = FRAME_MAP,
    };
    const struct shape_field *field = fill_find(f->shape, name, strlen(name), &f->next);

    if (!field || field->type == SHAPE_DICT)
        r->skipping = 1;
    else if (field->type < SHAPE_STRUCT)
        push_text(r, field, f->to);
    else
        reader_push(r, containers[field->type], field->shape, fill_container(field, f->to));
}

static void begin_element(struct reader *r, struct frame *f)
{
    void *element = fill_element(r->arena, f->to, &f->room, f->shape->size);

    if (element)
        reader_push(r, FRAME_STRUCT, f->shape, element);
    else
        reader_fail(r, FILL_NO_ROOM);
}

static void begin_part(struct reader *r, struct frame *f, const char *name)
{
    if (strcmp(name, "key") == 0)
        push_text(r, NULL, &f->pair.key);
    else if (strcmp(name, "value") == 0)
        push_text(r, NULL, &f->pair.value);
    else
        r->skipping = 1;
}

static void begin_child(struct reader *r, struct frame *f, const char *name)
{
    switch (f->kind) {
    case FRAME_STRUCT:
        begin_field(r, f, name);
        break;
    case FRAME_LIST:
        begin_element(r, f);
        break;
    case FRAME_STRINGS:
        push_text(r, NULL, NULL);
        break;
    case FRAME_MAP:
        reader_push(r, FRAME_PAIR, NULL, NULL);
        break;
    case FRAME_PAIR:
        begin_part(r, f, name);
        break;
    case FRAME_TEXT: /* which is none then */
        r->in_text = false;
        r->skipping = 1;
        break;
    }
}

static void begin_root(struct reader *r, const char *name)
{
    if (strcasecmp(name, "html") == 0)
        reader_fail(r, "it is a page for people");
    else
        reader_push(r, FRAME_STRUCT, r->shape, r->ret);
}

static void on_begin(void *ctx, const XML_Char *name, const XML_Char **attributes UNUSED)
{
    struct reader *r = ctx;
    const char *colon;

    if (r->depth + r->skipping == XML_DEPTH_MAX) {
        reader_fail(r, "it is nested too deeply");
    } else if (r->skipping) {
        r->skipping++;
    } else {
        colon = strchr(name, ':');
        name = colon ? colon + 1 : name;
        if (r->depth)
            begin_child(r, &r->frames[r->depth - 1], name);
        else
            begin_root(r, name);
    }
}

/* The text is whole: put it where the frame before has its content. */
static void end_text(struct reader *r, struct frame *f, struct frame *before)
{
    struct fill_value value = {r->text.len ? r->text.data : "", r->text.len,
                               FILL_DIGITS | FILL_BOOL};
    const char *text;

    if (before->kind == FRAME_STRUCT) {
        fill_scalar(r->arena, f->field, f->to, &value);
        return;
    }
    text = fill_text(r->arena, &value);
    if (before->kind == FRAME_PAIR)
        memcpy(f->to, &text, sizeof(text));
    else if (!fill_string(r->arena, before->to, &before->room, text))
        reader_fail(r, FILL_NO_ROOM);
}

static void end_pair(struct reader *r, const struct shape_pair *pair, struct frame *map)
{
    if (pair->key &&
        !fill_pair(r->arena, map->to, &map->room, pair->key, pair->value ? pair->value : ""))
        reader_fail(r, FILL_NO_ROOM);
}

static void on_end(void *ctx, const XML_Char *name UNUSED)
{
    struct reader *r = ctx;
    struct frame *f;

    if (r->skipping) {
        r->skipping--;
        return;
    }
    f = &r->frames[--r->depth];
    if (f->kind == FRAME_PAIR)
        end_pair(r, &f->pair, f - 1);
    else if (r->in_text)
        end_text(r, f, f - 1);
    r->in_text = false;
}

static void on_text(void *ctx, const XML_Char *text, int len)
{
    struct reader *r = ctx;

    if (r->in_text && !buf_add(&r->text, text, (size_t)len))
        reader_fail(r, FILL_NO_ROOM);
}

static void on_doctype(void *ctx, const XML_Char *name UNUSED, const XML_Char *system UNUSED,
                       const XML_Char *public UNUSED, int internal UNUSED)
{
    reader_fail(ctx, "it has a document type");
}

/* Expat would read it. No other encoding that it knows has such bytes. */
static bool is_utf16(const char *xml, size_t len)
{
    return len >= 2 && (xml[0] == '\0' || xml[1] == '\0' || memcmp(xml, "\xfe\xff", 2) == 0 ||
                        memcmp(xml, "\xff\xfe", 2) == 0);
}

/* Expat keeps what is not whole yet: where that is too much, it ends here. */
static bool feed(struct reader *r, const char *xml, size_t len)
{
    size_t fed = 0, piece;
    XML_Index at;

    do {
        piece = len - fed < PIECE ? len - fed : PIECE;
        fed += piece;
        if (XML_Parse(r->expat, xml + fed - piece, (int)piece, fed == len) != XML_STATUS_OK)
            return false;
        at = XML_GetCurrentByteIndex(r->expat);
        if (fed < len && at >= 0 && fed - (size_t)at > XML_TAG_MAX) {
            reader_fail(r, "it has a tag or comment that is too long");
            return false;
        }
    } while (fed < len);
    return true;
}

/* In Expat's own words, which are constant; its "out of memory" may well be our limit. */
static void explain(struct reader *r)
{
    enum XML_Error error = XML_GetErrorCode(r->expat);

    if (error == XML_ERROR_NO_MEMORY)
        snprintf(r->why, 160, FILL_NO_ROOM);
    else
        snprintf(r->why, 160, "%s at byte %lld", XML_ErrorString(error),
                 (long long)XML_GetCurrentByteIndex(r->expat) + 1);
}

static bool read_all(struct reader *r, const char *xml, size_t len)
{
    bool good;

    XML_SetUserData(r->expat, r);
    XML_SetElementHandler(r->expat, on_begin, on_end);
    XML_SetCharacterDataHandler(r->expat, on_text);
    XML_SetStartDoctypeDeclHandler(r->expat, on_doctype);
    good = feed(r, xml, len);
    if (!good && !r->failed)
        explain(r);
    return good;
}

bool xml_parse(struct arena *a, const char *xml, size_t len, const struct shape *shape, void *ret,
               char ret_why[160])
{
    struct reader r = {.arena = a, .shape = shape, .ret = ret, .why = ret_why};
    bool good;

    if (is_utf16(xml, len)) {
        snprintf(ret_why, 160, "it is neither UTF-8 nor ISO 8859-1");
        return false;
    }
    /* Its hash tables get a salt from the kernel. */
    r.expat = XML_ParserCreate_MM(NULL, &expat_memory, NULL);
    if (!r.expat) {
        snprintf(ret_why, 160, FILL_NO_ROOM);
        return false;
    }
    buf_init(&r.text, a->cap);
    good = read_all(&r, xml, len);
    XML_ParserFree(r.expat);
    buf_wipe(&r.text);
    if (good && a->exhausted) {
        snprintf(ret_why, 160, FILL_NO_ROOM);
        good = false;
    }
    return good;
}
