/* The accelerator: what tinygraph does a million times, repeated in C. The package also runs without it.

   Each type and function has a Python twin of the same name, which is the definition: Slots and order in graph.py, State
   in clock.py, Arithmetic, node and record_op in recording.py, and count_consumers and add_contributions in backward.py.
   A test checks that both give the same bits. Rare cases are left to Python: see `general` and `_operator`.
   Compile with -ffp-contract=off, because a fused product has other bits. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <float.h>

typedef struct { PyObject_HEAD PyObject *metadata, *op, *raw, *raw_grad, *version, *x, *x_partial, *y, *y_partial;
                 Py_ssize_t awaited; char is_constant; } Node;
typedef struct { PyObject_HEAD PyObject *changed, *constant_edits, *edits, *watch; } Clock;
typedef struct { /* the state of the module; the tuple `introduced` keeps the second line alive */
    PyObject *slots, *zero, *one, *minus_one, *operator_name, *floats_name, *partials_name, *introduced,
             *value, *general, *clock, *many, *ops[4]; } Module;

static struct PyModuleDef definition;
static Module *module_of(PyObject *module) { return PyModule_GetState(module); }
static PyTypeObject *value_type(Module *m) { return (PyTypeObject *)m->value; }
static Clock *clock_of(Module *m) { return (Clock *)m->clock; }
static int fail(PyObject *kind, const char *message) { PyErr_SetString(kind, message); return -1; }

/* --- Slots and State. The collector does not track Values, because nodes are not part of reference cycles. */

static PyObject *node_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(options)) {
    PyObject *module = PyType_GetModuleByDef(type, &definition), *self = module ? type->tp_alloc(type, 0) : NULL;
    if (self && type == value_type(module_of(module))) PyObject_GC_UnTrack(self); /* a subclass can have attributes */
    return self;
}

static void clear(PyObject **first, PyObject **last) { for (; first <= last; first++) Py_CLEAR(*first); }
static void release(PyObject *self) { PyTypeObject *type = Py_TYPE(self); type->tp_free(self); Py_DECREF(type); }
static int node_clear(PyObject *self) { clear(&((Node *)self)->metadata, &((Node *)self)->y_partial); return 0; }
static void clock_dealloc(PyObject *self) { clear(&((Clock *)self)->changed, &((Clock *)self)->watch); release(self); }
static void node_dealloc(PyObject *self) { /* the deallocator of a Python class calls it, and prevents deep recursion */
    PyObject_GC_UnTrack(self);
    node_clear(self);
    release(self);
}

static int node_traverse(PyObject *self, visitproc visit, void *arg) {
    for (PyObject **slot = &((Node *)self)->metadata; slot <= &((Node *)self)->y_partial; slot++) Py_VISIT(*slot);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

#define SLOT(type, name) {#name, T_OBJECT_EX, offsetof(type, name), 0, NULL}
static PyMemberDef node_members[] = {
    SLOT(Node, metadata), SLOT(Node, op), SLOT(Node, raw), SLOT(Node, raw_grad), SLOT(Node, version), SLOT(Node, x), SLOT(Node, x_partial),
    SLOT(Node, y), SLOT(Node, y_partial), {"awaited", T_PYSSIZET, offsetof(Node, awaited), 0, NULL},
    {"is_constant", T_BOOL, offsetof(Node, is_constant), 0, NULL}, {NULL, 0, 0, 0, NULL}};
static PyMemberDef clock_members[] = {SLOT(Clock, changed), SLOT(Clock, constant_edits), SLOT(Clock, edits), SLOT(Clock, watch), {NULL, 0, 0, 0, NULL}};
static PyType_Slot node_slots[] = {{Py_tp_new, node_new}, {Py_tp_traverse, node_traverse}, {Py_tp_clear, node_clear},
    {Py_tp_dealloc, node_dealloc}, {Py_tp_members, node_members}, {0, NULL}};
static PyType_Slot clock_slots[] = {{Py_tp_dealloc, clock_dealloc}, {Py_tp_members, clock_members}, {0, NULL}};
static PyType_Spec Slots = {"tinygraph.engine._speed.Slots", sizeof(Node), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, node_slots};
static PyType_Spec State = {"tinygraph.engine._speed.State", sizeof(Clock), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, clock_slots};

/* --- recording */

static inline int is_variable(Module *m, PyObject *o) { return Py_IS_TYPE(o, value_type(m)) && !((Node *)o)->is_constant; }

/* Record a node. This takes over the reference to `raw`, which is NULL after an error, and borrows the others. */
static PyObject *new_node(Module *m, PyObject *op, PyObject *raw, PyObject *x, PyObject *y, PyObject *dx, PyObject *dy, PyObject *now) {
    Node *n = raw ? PyObject_GC_New(Node, value_type(m)) : NULL;
    if (!n) { Py_XDECREF(raw); return NULL; }
    n->raw = raw; n->op = Py_NewRef(op); n->x = Py_NewRef(x); n->y = Py_NewRef(y); n->x_partial = Py_NewRef(dx); n->y_partial = Py_NewRef(dy);
    n->raw_grad = Py_NewRef(Py_None); n->metadata = Py_NewRef(Py_None); n->version = Py_XNewRef(now);
    n->awaited = n->is_constant = 0;
    PyObject *watch = clock_of(m)->watch, *result = NULL;
    if (!watch || watch == Py_None) return (PyObject *)n;
    Py_INCREF(watch);
    if (!(result = PyObject_CallOneArg(watch, (PyObject *)n))) Py_CLEAR(n);
    Py_DECREF(watch); Py_XDECREF(result);
    return (PyObject *)n;
}

static PyObject *node(PyObject *self, PyObject *const *a, Py_ssize_t n) {
    if (n == 7 && module_of(self)->value) return new_node(module_of(self), a[0], Py_NewRef(a[1]), a[2], a[3], a[4], a[5], a[6]);
    fail(PyExc_TypeError, "node takes op, raw, x, y, dx, dy and now");
    return NULL;
}

/* Return the float of a Value or a number as a borrowed reference, or NULL for another operand. An int becomes a float, which is in `made`. */
static inline PyObject *float_of(Module *m, PyObject *o, PyObject **made) {
    PyObject *raw = is_variable(m, o) ? ((Node *)o)->raw : o;
    if (raw && PyFloat_CheckExact(raw)) return raw;
    if (!PyLong_CheckExact(o) || *made) return NULL;
    double converted = PyLong_AsDouble(o);
    if (converted == -1.0 && PyErr_Occurred()) { PyErr_Clear(); return NULL; } /* too large, which Python reports */
    return *made = PyFloat_FromDouble(converted);
}

static PyObject *binary(int which, PyObject *x, PyObject *y) {
    int number_first = PyFloat_CheckExact(x) || PyLong_CheckExact(x);
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(number_first ? y : x), &definition), *made = NULL, *out = NULL, *none = Py_None;
    if (!module && !number_first) { PyErr_Clear(); module = PyType_GetModuleByDef(Py_TYPE(y), &definition); }
    if (!module || !module_of(module)->value) return NULL;
    Module *m = module_of(module);
    PyObject *op = m->ops[which], *now = clock_of(m)->edits, *a = float_of(m, x, &made), *b = a ? float_of(m, y, &made) : NULL;
    if (b) {
        double p = PyFloat_AS_DOUBLE(a), q = PyFloat_AS_DOUBLE(b), quotient;
        int vx = is_variable(m, x), vy = is_variable(m, y);
        PyObject *left = vx ? x : a, *right = vy ? y : b;
        if (which == 0) out = new_node(m, op, PyFloat_FromDouble(p + q), left, right, vx ? m->one : none, vy ? m->one : none, now);
        else if (which == 1) out = new_node(m, op, PyFloat_FromDouble(p - q), left, right, vx ? m->one : none, vy ? m->minus_one : none, now);
        else if (which == 2) out = new_node(m, op, PyFloat_FromDouble(p * q), left, right, vx ? b : none, vy ? a : none, now);
        else if (q != 0 && ((quotient = p / q) == 0 || !(-DBL_MIN < quotient && quotient < DBL_MIN))) { /* it did not lose bits */
            PyObject *dx = vx ? PyFloat_FromDouble(1.0 / q) : Py_NewRef(none), *dy = vy ? PyFloat_FromDouble(-quotient / q) : Py_NewRef(none);
            if (dx && dy) out = new_node(m, op, PyFloat_FromDouble(quotient), left, right, dx, dy, now);
            Py_XDECREF(dx); Py_XDECREF(dy);
        }
    }
    Py_XDECREF(made);
    return out || PyErr_Occurred() ? out : PyObject_CallMethodObjArgs(m->value, m->operator_name, op, x, y, NULL);
}

static PyObject *add(PyObject *x, PyObject *y) { return binary(0, x, y); }
static PyObject *subtract(PyObject *x, PyObject *y) { return binary(1, x, y); }
static PyObject *multiply(PyObject *x, PyObject *y) { return binary(2, x, y); }
static PyObject *divide(PyObject *x, PyObject *y) { return binary(3, x, y); }
static PyType_Slot arithmetic_slots[] = {{Py_nb_add, add}, {Py_nb_subtract, subtract}, {Py_nb_multiply, multiply}, {Py_nb_true_divide, divide}, {0, NULL}};
static PyType_Spec Arithmetic = {"tinygraph.engine._speed.Arithmetic", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, arithmetic_slots};

static PyObject *record_op(PyObject *self, PyObject *const *given, Py_ssize_t n) {
    Module *m = module_of(self);
    if (n < 2 || n > 3 || !m->value) { fail(PyExc_TypeError, "record_op takes op, x and y"); return NULL; }
    PyObject *op = given[0], *x = given[1], *y = n == 3 ? given[2] : Py_None, *out = NULL;
    if (is_variable(m, x) && ((Node *)x)->raw && (y == Py_None || PyFloat_CheckExact(y))) {
        PyObject *now = Py_XNewRef(clock_of(m)->edits), *numbers[3] = {NULL, Py_NewRef(((Node *)x)->raw), y}, *dx = NULL; /* a kernel can run any code */
        PyObject *kernel = PyObject_GetAttr(op, m->floats_name), *partials = PyObject_GetAttr(op, m->partials_name);
        size_t count = y == Py_None ? 1 : 2;
        if (kernel && partials && PyTuple_Check(partials) && PyTuple_GET_SIZE(partials)) numbers[0] = PyObject_Vectorcall(kernel, numbers + 1, count, NULL);
        if (numbers[0] && (dx = PyObject_Vectorcall(PyTuple_GET_ITEM(partials, 0), numbers, count + 1, NULL)))
            out = new_node(m, op, Py_NewRef(numbers[0]), x, y, dx, Py_None, now);
        Py_XDECREF(now); Py_XDECREF(numbers[0]); Py_DECREF(numbers[1]); Py_XDECREF(dx); Py_XDECREF(kernel); Py_XDECREF(partials);
        if (out || !PyErr_Occurred() || !PyErr_ExceptionMatches(PyExc_ZeroDivisionError)) return out;
        PyErr_Clear();
    }
    PyObject *operands = y == Py_None ? PyTuple_Pack(1, x) : PyTuple_Pack(2, x, y);
    out = operands ? PyObject_CallFunctionObjArgs(m->general, op, operands, NULL) : NULL;
    Py_XDECREF(operands);
    return out;
}

/* --- traversals */

enum Task { COUNT, ADD, MEET, LEAVE }; /* the two traversals of a pass, and those of `order`, which counts in a dict */
typedef struct { Module *m; enum Task task; PyObject **nodes, *counts, *found; Py_ssize_t size, room; int suspicious; } Stack;

static int push(Stack *s, PyObject *o) {
    if (s->size == s->room) {
        PyObject **more = PyMem_Realloc(s->nodes, (s->room = s->room ? 2 * s->room : 256) * sizeof(PyObject *));
        if (!more) { PyErr_NoMemory(); return -1; }
        s->nodes = more;
    }
    s->nodes[s->size++] = Py_NewRef(o);
    return 0;
}

static int is_node(Stack *s, PyObject *o) { return Py_IS_TYPE(o, value_type(s->m)) || PyObject_TypeCheck(o, (PyTypeObject *)s->m->slots); }

static int visit(Stack *s, PyObject *operand, PyObject *local, PyObject *upstream) {
    Node *n = (Node *)operand;
    if (s->task >= MEET) {
        PyObject *count = is_node(s, operand) ? PyDict_GetItemWithError(s->counts, operand) : Py_None;
        if (count == Py_None || PyErr_Occurred()) return PyErr_Occurred() ? -1 : 0;
        Py_ssize_t now = (count ? PyLong_AsSsize_t(count) : 0) + (s->task == MEET ? 1 : -1);
        int failed = !(count = PyLong_FromSsize_t(now)) || PyDict_SetItem(s->counts, operand, count);
        Py_XDECREF(count);
        return failed ? -1 : now == (s->task == MEET) ? push(s, operand) : 0;
    }
    if (!is_node(s, operand)) return fail(PyExc_TypeError, "an operand with a local derivative must be a node");
    if (s->task == COUNT) {
        if (n->awaited++) return 0;
        int failed = push(s, operand);
        Py_XSETREF(n->raw_grad, Py_NewRef(s->m->zero));
        return failed;
    }
    PyObject *old = n->raw_grad, *sum = NULL;
    if (!old) return fail(PyExc_AttributeError, "raw_grad");
    if (PyFloat_CheckExact(local) && PyFloat_CheckExact(upstream) && PyFloat_CheckExact(old))
        sum = PyFloat_FromDouble(PyFloat_AS_DOUBLE(old) + PyFloat_AS_DOUBLE(upstream) * PyFloat_AS_DOUBLE(local));
    else { /* a LogitPair, for example, which can run any code; `visit_operands` holds the references */
        PyObject *contribution = PyNumber_Multiply(upstream, local);
        if (contribution && (old = n->raw_grad)) sum = PyNumber_InPlaceAdd(old, contribution);
        Py_XDECREF(contribution);
    }
    if (!sum) return -1;
    Py_XSETREF(n->raw_grad, sum);
    return --n->awaited ? 0 : push(s, operand);
}

static int visit_operands(Stack *s, Node *n) {
    PyObject *x = n->x, *y = n->y, *dx = n->x_partial, *dy = n->y_partial, *upstream = n->raw_grad;
    int failed = 0, all = s->task >= MEET;
    if (!x || !y || !dx || !dy || (s->task == ADD && !upstream)) return fail(PyExc_AttributeError, "a node is incomplete");
    Py_INCREF(x); Py_INCREF(y); Py_INCREF(dx); Py_INCREF(dy); Py_XINCREF(upstream);
    if (dy != s->m->many) {
        if (all || dx != Py_None) failed = visit(s, x, dx, upstream);
        if (!failed && (all || dy != Py_None)) failed = visit(s, y, dy, upstream);
    } else if (!PyTuple_Check(x) || !PyTuple_Check(y)) failed = fail(PyExc_TypeError, "operands must be a tuple");
    else for (Py_ssize_t i = 0, size = PyTuple_GET_SIZE(y); i < PyTuple_GET_SIZE(x) && (all || i < size) && !failed; i++) {
        PyObject *local = i < size ? PyTuple_GET_ITEM(y, i) : Py_None;
        if (all || local != Py_None) failed = visit(s, PyTuple_GET_ITEM(x, i), local, upstream);
    }
    Py_DECREF(x); Py_DECREF(y); Py_DECREF(dx); Py_DECREF(dy); Py_XDECREF(upstream);
    return failed;
}

static int traverse(Stack *s, enum Task task, PyObject *root) {
    s->task = task;
    PyObject *changed = clock_of(s->m)->changed;
    int failed = !is_node(s, root) ? fail(PyExc_TypeError, "the root must be a node") : push(s, root);
    for (unsigned steps = 1; s->size && !failed; steps++) {
        PyObject *node = s->nodes[--s->size], *version = ((Node *)node)->version;
        if (task == COUNT && version != changed && version && ((Node *)node)->op != Py_None && !s->suspicious)
            failed = (s->suspicious = PyObject_RichCompareBool(version, changed, Py_LT)) < 0 ? -1 : 0;
        if (task == LEAVE) failed = PyList_Append(s->found, node);
        if (!failed) failed = visit_operands(s, (Node *)node);
        if (!failed && !(steps & 1023)) failed = PyErr_CheckSignals();
        Py_DECREF(node);
    }
    while (s->size) Py_DECREF(s->nodes[--s->size]);
    PyMem_Free(s->nodes);
    s->nodes = NULL; s->room = 0;
    return failed;
}

static PyObject *count_consumers(PyObject *self, PyObject *root) {
    Stack s = {.m = module_of(self)};
    return traverse(&s, COUNT, root) ? NULL : PyBool_FromLong(s.suspicious);
}

static PyObject *add_contributions(PyObject *self, PyObject *root) {
    Stack s = {.m = module_of(self)};
    return traverse(&s, ADD, root) ? NULL : Py_NewRef(Py_None);
}

static PyObject *order(PyObject *self, PyObject *root) {
    Stack s = {.m = module_of(self), .counts = PyDict_New(), .found = PyList_New(0)};
    if (!s.counts || !s.found || traverse(&s, MEET, root) || traverse(&s, LEAVE, root)) Py_CLEAR(s.found);
    Py_XDECREF(s.counts);
    return s.found;
}

/* --- the module */

static PyObject *introduce(PyObject *self, PyObject *args) { /* of `acceleration.tell_accelerator` */
    Module *m = module_of(self);
    PyObject **p = &m->value;
    if (!PyArg_ParseTuple(args, "OOOOOOOO", p, p + 1, p + 2, p + 3, p + 4, p + 5, p + 6, p + 7)) return NULL;
    Py_XSETREF(m->introduced, Py_NewRef(args));
    if (PyType_Check(m->value) && value_type(m)->tp_basicsize == sizeof(Node)) Py_RETURN_NONE;
    m->value = NULL;
    fail(PyExc_TypeError, "Value must be a class without more slots");
    return NULL;
}

static int add_type(PyObject *module, const char *name, PyType_Spec *spec, PyObject **kept) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int failed = PyModule_AddObjectRef(module, name, type);
    if (kept) *kept = type; else Py_XDECREF(type);
    return failed;
}

static int execute(PyObject *module) {
    Module *m = module_of(module);
    if (!(m->zero = PyFloat_FromDouble(-0.0)) || !(m->one = PyFloat_FromDouble(1.0)) || !(m->minus_one = PyFloat_FromDouble(-1.0))
        || !(m->operator_name = PyUnicode_InternFromString("_operator")) || !(m->floats_name = PyUnicode_InternFromString("floats"))
        || !(m->partials_name = PyUnicode_InternFromString("partials"))) return -1;
    return add_type(module, "Slots", &Slots, &m->slots) || add_type(module, "State", &State, NULL) || add_type(module, "Arithmetic", &Arithmetic, NULL) ? -1 : 0;
}

static int module_clear(PyObject *self) { clear(&module_of(self)->slots, &module_of(self)->introduced); return 0; }
static void module_free(void *self) { module_clear(self); }
static int module_traverse(PyObject *self, visitproc visit, void *arg) {
    for (PyObject **p = &module_of(self)->slots; p <= &module_of(self)->introduced; p++) Py_VISIT(*p);
    return 0;
}

#define FAST(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}
static PyMethodDef functions[] = {FAST(node), FAST(record_op), {"count_consumers", count_consumers, METH_O, NULL},
    {"add_contributions", add_contributions, METH_O, NULL}, {"order", order, METH_O, NULL}, {"introduce", introduce, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED}, /* but not a lock for each */
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_USED}, /* so a build without this lock turns it on */
#endif
    {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_speed", "The accelerator of tinygraph.engine.", sizeof(Module),
    functions, module_slots, module_traverse, module_clear, module_free};
PyMODINIT_FUNC PyInit__speed(void) { return PyModuleDef_Init(&definition); }
