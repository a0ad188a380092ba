/* The accelerator: what tinygraph does a million times, repeated in C.

   The package runs without this file. Each type and function has a Python twin of the same name, which defines what it
   does: Slots and order in graph.py, State in clock.py, Arithmetic, node and record_op in recording.py, and the two
   traversals of a pass in backward.py. A test checks that both give the same bits. A case that is not frequent is left
   to Python: see `general` and `_operator`. Compile with -ffp-contract=off, because a fused product has other bits. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <float.h>

typedef struct { PyObject_HEAD PyObject *metadata, *op, *raw, *raw_grad, *version, *x, *x_partial, *y, *y_partial;
                 Py_ssize_t awaited; char is_constant; } Node;
typedef struct { PyObject_HEAD PyObject *changed, *constant_edits, *edits, *watch; } State;
typedef struct { /* the state of the module; `introduced` is a tuple of what stands below it */
    PyObject *slots, *zero, *one, *minus_one, *operator_name, *floats_name, *partials_name, *introduced,
             *value, *general, *clock, *many, *ops[4]; } Module;

static struct PyModuleDef definition;
#define MODULE(m) ((Module *)PyModule_GetState(m))
#define CLOCK(m) ((State *)(m)->clock)
#define FIRST(n) (&(n)->metadata) /* the slots that refer to objects */
#define LAST(n) (&(n)->y_partial)

/* --- Slots and State. Values are never tracked by the collector, because they are not part of reference cycles. */

static PyObject *node_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(options)) {
    PyObject *module = PyType_GetModuleByDef(type, &definition), *self = module ? type->tp_alloc(type, 0) : NULL;
    if (self && (PyObject *)type == MODULE(module)->value) PyObject_GC_UnTrack(self); /* a subclass can have attributes */
    return self;
}

static int node_traverse(PyObject *self, visitproc visit, void *arg) {
    for (PyObject **slot = FIRST((Node *)self); slot <= LAST((Node *)self); slot++) Py_VISIT(*slot);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int node_clear(PyObject *self) {
    for (PyObject **slot = FIRST((Node *)self); slot <= LAST((Node *)self); slot++) Py_CLEAR(*slot);
    return 0;
}

static void node_dealloc(PyObject *self) { /* called by the deallocator of a Python class, which prevents recursion */
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    node_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static void state_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    State *s = (State *)self;
    Py_XDECREF(s->changed); Py_XDECREF(s->constant_edits); Py_XDECREF(s->edits); Py_XDECREF(s->watch);
    type->tp_free(self);
    Py_DECREF(type);
}

#define SLOT(type, name) {#name, T_OBJECT_EX, offsetof(type, name), 0, NULL}
static PyMemberDef node_members[] = {
    SLOT(Node, metadata), SLOT(Node, op), SLOT(Node, raw), SLOT(Node, raw_grad), SLOT(Node, version), SLOT(Node, x),
    SLOT(Node, x_partial), SLOT(Node, y), SLOT(Node, y_partial), {"awaited", T_PYSSIZET, offsetof(Node, awaited), 0, NULL},
    {"is_constant", T_BOOL, offsetof(Node, is_constant), 0, NULL}, {NULL, 0, 0, 0, NULL}};
static PyType_Slot node_slots[] = {{Py_tp_new, node_new}, {Py_tp_traverse, node_traverse}, {Py_tp_clear, node_clear},
    {Py_tp_dealloc, node_dealloc}, {Py_tp_members, node_members}, {0, NULL}};
static PyType_Spec Slots = {"tinygraph.engine._speed.Slots", sizeof(Node), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, node_slots};

static PyMemberDef state_members[] = {SLOT(State, changed), SLOT(State, constant_edits), SLOT(State, edits),
    SLOT(State, watch), {NULL, 0, 0, 0, NULL}};
static PyType_Slot state_slots[] = {{Py_tp_dealloc, state_dealloc}, {Py_tp_members, state_members}, {0, NULL}};
static PyType_Spec StateSpec = {"tinygraph.engine._speed.State", sizeof(State), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, state_slots};

/* --- recording */

static inline int is_value(Module *m, PyObject *o) { return Py_IS_TYPE(o, (PyTypeObject *)m->value) && !((Node *)o)->is_constant; }

/* node: take over the reference to `raw`, which can be NULL after an error, and borrow the others. */
static PyObject *new_node(Module *m, PyObject *op, PyObject *raw, PyObject *x, PyObject *y, PyObject *dx, PyObject *dy, PyObject *now) {
    Node *n = raw ? PyObject_GC_New(Node, (PyTypeObject *)m->value) : NULL; /* not tracked */
    if (!n) { Py_XDECREF(raw); return NULL; }
    n->raw = raw;
    n->op = Py_NewRef(op); n->x = Py_NewRef(x); n->y = Py_NewRef(y); n->x_partial = Py_NewRef(dx); n->y_partial = Py_NewRef(dy);
    n->raw_grad = Py_NewRef(Py_None); n->metadata = Py_NewRef(Py_None);
    n->version = Py_XNewRef(now);
    n->awaited = n->is_constant = 0;
    PyObject *watch = CLOCK(m)->watch;
    if (watch && watch != Py_None) {
        PyObject *result = PyObject_CallOneArg(Py_NewRef(watch), (PyObject *)n);
        Py_DECREF(watch);
        if (!result) { Py_DECREF(n); return NULL; }
        Py_DECREF(result);
    }
    return (PyObject *)n;
}

static PyObject *node(PyObject *self, PyObject *const *a, Py_ssize_t n) {
    if (n != 7 || !MODULE(self)->value) { PyErr_SetString(PyExc_TypeError, "node takes op, raw, x, y, dx, dy and now"); return NULL; }
    return new_node(MODULE(self), a[0], Py_NewRef(a[1]), a[2], a[3], a[4], a[5], a[6]);
}

/* Read an operand. Return whether it is a Value or a number; an int becomes a new float, which is also in `made`. */
static inline int number_of(Module *m, PyObject **o, double *number, PyObject **made) {
    PyObject *raw = is_value(m, *o) ? ((Node *)*o)->raw : *o;
    if (raw && PyLong_CheckExact(raw) && raw == *o && !*made) {
        double converted = PyLong_AsDouble(raw);
        if (converted == -1.0 && PyErr_Occurred()) { PyErr_Clear(); return 0; } /* too large, which Python reports */
        raw = *made = *o = PyFloat_FromDouble(converted);
    }
    if (!raw || !PyFloat_CheckExact(raw)) return 0;
    *number = PyFloat_AS_DOUBLE(raw);
    return 1;
}

static PyObject *binary(int which, PyObject *x, PyObject *y) {
    int left = !PyFloat_CheckExact(x) && !PyLong_CheckExact(x);
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(left ? x : y), &definition);
    if (!module && left) { PyErr_Clear(); module = PyType_GetModuleByDef(Py_TYPE(y), &definition); }
    if (!module) return NULL;
    Module *m = MODULE(module);
    PyObject *op = m->ops[which], *a = x, *b = y, *made = NULL, *out = NULL, *now = CLOCK(m)->edits, *none = Py_None;
    double p, q;
    if (number_of(m, &a, &p, &made) && number_of(m, &b, &q, &made)) {
        int wx = a == x && is_value(m, x), wy = b == y && is_value(m, y); /* whether a gradient flows */
        if (which == 0) out = new_node(m, op, PyFloat_FromDouble(p + q), a, b, wx ? m->one : none, wy ? m->one : none, now);
        else if (which == 1) out = new_node(m, op, PyFloat_FromDouble(p - q), a, b, wx ? m->one : none, wy ? m->minus_one : none, now);
        else if (which == 2) out = new_node(m, op, PyFloat_FromDouble(p * q), a, b,
                                            wx ? (wy ? ((Node *)b)->raw : b) : none, wy ? (wx ? ((Node *)a)->raw : a) : none, now);
        else if (q != 0) {
            double quotient = p / q;
            if (!(quotient != 0 && -DBL_MIN < quotient && quotient < DBL_MIN)) { /* else it lost bits */
                PyObject *dx = wx ? PyFloat_FromDouble(1.0 / q) : Py_NewRef(none), *dy = wy ? PyFloat_FromDouble(-quotient / q) : Py_NewRef(none);
                if (dx && dy) out = new_node(m, op, PyFloat_FromDouble(quotient), a, b, dx, dy, now);
                Py_XDECREF(dx); Py_XDECREF(dy);
            }
        }
    }
    Py_XDECREF(made);
    return out || PyErr_Occurred() ? out : PyObject_CallMethodObjArgs(m->value, m->operator_name, op, x, y, NULL);
}

static PyObject *add(PyObject *x, PyObject *y) { return binary(0, x, y); }
static PyObject *subtract(PyObject *x, PyObject *y) { return binary(1, x, y); }
static PyObject *multiply(PyObject *x, PyObject *y) { return binary(2, x, y); }
static PyObject *divide(PyObject *x, PyObject *y) { return binary(3, x, y); }
static PyType_Slot arithmetic_slots[] = {{Py_nb_add, add}, {Py_nb_subtract, subtract}, {Py_nb_multiply, multiply},
    {Py_nb_true_divide, divide}, {0, NULL}};
static PyType_Spec Arithmetic = {"tinygraph.engine._speed.Arithmetic", sizeof(PyObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, arithmetic_slots};

static PyObject *record_op(PyObject *self, PyObject *const *given, Py_ssize_t n) {
    Module *m = MODULE(self);
    if (n < 2 || n > 3 || !m->value) { PyErr_SetString(PyExc_TypeError, "record_op takes op, x and y"); return NULL; }
    PyObject *op = given[0], *x = given[1], *y = n == 3 ? given[2] : Py_None, *out = NULL;
    if (is_value(m, x) && ((Node *)x)->raw && (y == Py_None || PyFloat_CheckExact(y))) {
        PyObject *now = Py_XNewRef(CLOCK(m)->edits), *raw = Py_NewRef(((Node *)x)->raw), *dx = NULL; /* a kernel may run any code */
        PyObject *kernel = PyObject_GetAttr(op, m->floats_name), *partials = PyObject_GetAttr(op, m->partials_name);
        PyObject *numbers[3] = {NULL, raw, y};
        size_t count = y == Py_None ? 1 : 2;
        if (kernel && partials && PyTuple_Check(partials) && PyTuple_GET_SIZE(partials))
            numbers[0] = PyObject_Vectorcall(kernel, numbers + 1, count, NULL);
        if (numbers[0]) dx = PyObject_Vectorcall(PyTuple_GET_ITEM(partials, 0), numbers, count + 1, NULL);
        if (dx) out = new_node(m, op, Py_NewRef(numbers[0]), x, y, dx, Py_None, now);
        Py_XDECREF(now); Py_DECREF(raw); Py_XDECREF(kernel); Py_XDECREF(partials); Py_XDECREF(numbers[0]); Py_XDECREF(dx);
        if (out || !PyErr_ExceptionMatches(PyExc_ZeroDivisionError)) return out;
        PyErr_Clear();
    }
    PyObject *operands = y == Py_None ? PyTuple_Pack(1, x) : PyTuple_Pack(2, x, y);
    out = operands ? PyObject_CallFunctionObjArgs(m->general, op, operands, NULL) : NULL;
    Py_XDECREF(operands);
    return out;
}

/* --- traversals: `follow` visits the operands of each node on a stack, and sees Ctrl-C */

typedef struct { Module *m; PyObject **nodes, *counts, *found; Py_ssize_t size, room; long long changed; int suspicious; } Stack;
typedef int (*Visit)(Stack *s, PyObject *operand, PyObject *local, PyObject *upstream);

static inline int is_node(Module *m, PyObject *o) { return Py_IS_TYPE(o, (PyTypeObject *)m->value) || PyObject_TypeCheck(o, (PyTypeObject *)m->slots); }

static int push(Stack *s, PyObject *o) {
    if (s->size == s->room) {
        PyObject **more = PyMem_Realloc(s->nodes, (s->room = s->room ? 2 * s->room : 256) * sizeof(PyObject *));
        if (!more) { PyErr_NoMemory(); return -1; }
        s->nodes = more;
    }
    s->nodes[s->size++] = Py_NewRef(o);
    return 0;
}

static int visit_operands(Stack *s, Node *n, Visit visit) {
    PyObject *slots[5] = {n->x, n->y, n->x_partial, n->y_partial, n->raw_grad}; /* with own references: `visit` can run any code */
    int failed = 0, all = s->counts != NULL, last = all ? 4 : 5; /* `order` visits all operands, and needs no gradient */
    for (int i = 0; i < last; i++) if (!slots[i]) { PyErr_SetString(PyExc_AttributeError, "a node is incomplete"); return -1; }
    for (int i = 0; i < 5; i++) Py_XINCREF(slots[i]);
    if (slots[3] != s->m->many)
        for (int i = 0; i < 2 && !failed; i++) { if (all || slots[i + 2] != Py_None) failed = visit(s, slots[i], slots[i + 2], slots[4]); }
    else if (!PyTuple_Check(slots[0]) || !PyTuple_Check(slots[1])) { PyErr_SetString(PyExc_TypeError, "operands must be a tuple"); failed = -1; }
    else for (Py_ssize_t i = 0, size = PyTuple_GET_SIZE(slots[1]); i < PyTuple_GET_SIZE(slots[0]) && (all || i < size) && !failed; i++) {
        PyObject *local = i < size ? PyTuple_GET_ITEM(slots[1], i) : Py_None;
        if (all || local != Py_None) failed = visit(s, PyTuple_GET_ITEM(slots[0], i), local, slots[4]);
    }
    for (int i = 0; i < 5; i++) Py_XDECREF(slots[i]);
    return failed;
}

static int follow(Stack *s, PyObject *root, Visit visit) {
    int failed = is_node(s->m, root) ? push(s, root) : -1;
    if (failed && !PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "a graph must consist of nodes, not %.200s", Py_TYPE(root)->tp_name);
    for (unsigned steps = 1; s->size && !failed; steps++) {
        PyObject *n = s->nodes[--s->size], *version = ((Node *)n)->version;
        if (s->changed && ((Node *)n)->op != Py_None && version && !s->suspicious) {
            long long time = PyLong_AsLongLong(version);
            s->suspicious = time < s->changed;
            failed = time == -1 && PyErr_Occurred() ? -1 : 0;
        }
        if (s->found && !failed) failed = PyList_Append(s->found, n);
        if (!failed) failed = visit_operands(s, (Node *)n, visit);
        if (!failed && !(steps & 1023)) failed = PyErr_CheckSignals();
        Py_DECREF(n);
    }
    while (s->size) Py_DECREF(s->nodes[--s->size]);
    PyMem_Free(s->nodes);
    s->nodes = NULL; s->room = 0;
    return failed;
}

static int await_one(Stack *s, PyObject *operand, PyObject *Py_UNUSED(local), PyObject *Py_UNUSED(upstream)) {
    Node *n = (Node *)operand;
    if (!is_node(s->m, operand)) { PyErr_SetString(PyExc_TypeError, "an operand with a local derivative must be a node"); return -1; }
    if (n->awaited++) return 0;
    Py_XSETREF(n->raw_grad, Py_NewRef(s->m->zero));
    return push(s, operand);
}

static PyObject *count_consumers(PyObject *self, PyObject *root) {
    Stack s = {.m = MODULE(self)};
    s.changed = PyLong_AsLongLong(CLOCK(s.m)->changed);
    return (s.changed == -1 && PyErr_Occurred()) || follow(&s, root, await_one) ? NULL : PyBool_FromLong(s.suspicious);
}

static int add_one(Stack *s, PyObject *operand, PyObject *local, PyObject *upstream) {
    Node *n = (Node *)operand;
    PyObject *sum, *contribution;
    if (!is_node(s->m, operand) || !n->raw_grad) { PyErr_SetString(PyExc_TypeError, "an operand must be a counted node"); return -1; }
    if (PyFloat_CheckExact(local) && PyFloat_CheckExact(upstream) && PyFloat_CheckExact(n->raw_grad))
        sum = PyFloat_FromDouble(PyFloat_AS_DOUBLE(n->raw_grad) + PyFloat_AS_DOUBLE(upstream) * PyFloat_AS_DOUBLE(local));
    else { /* a LogitPair, for example */
        contribution = PyNumber_Multiply(upstream, local);
        sum = contribution ? PyNumber_InPlaceAdd(n->raw_grad, contribution) : NULL;
        Py_XDECREF(contribution);
    }
    if (!sum) return -1;
    Py_XSETREF(n->raw_grad, sum);
    return --n->awaited ? 0 : push(s, operand);
}

static PyObject *add_contributions(PyObject *self, PyObject *root) {
    Stack s = {.m = MODULE(self)};
    if (follow(&s, root, add_one)) return NULL;
    Py_RETURN_NONE;
}

static int consumers(Stack *s, PyObject *operand, long change) { /* return the new count, or -1 */
    PyObject *count = PyDict_GetItemWithError(s->counts, operand), *number;
    long left = (count ? PyLong_AsLong(count) : 0) + change;
    if (PyErr_Occurred() || !(number = PyLong_FromLong(left))) return -1;
    int failed = PyDict_SetItem(s->counts, operand, number);
    Py_DECREF(number);
    return failed ? -1 : left > INT_MAX ? INT_MAX : (int)left;
}

static int meet(Stack *s, PyObject *operand, PyObject *Py_UNUSED(local), PyObject *Py_UNUSED(upstream)) {
    int count = is_node(s->m, operand) ? consumers(s, operand, 1) : 0;
    return count == 1 ? push(s, operand) : count < 0 ? -1 : 0;
}

static int leave(Stack *s, PyObject *operand, PyObject *Py_UNUSED(local), PyObject *Py_UNUSED(upstream)) {
    if (!is_node(s->m, operand)) return 0;
    int left = consumers(s, operand, -1);
    return left ? (left < 0 ? -1 : 0) : push(s, operand);
}

static PyObject *order(PyObject *self, PyObject *root) {
    Stack s = {.m = MODULE(self), .counts = PyDict_New()};
    int failed = !s.counts || follow(&s, root, meet) || !(s.found = PyList_New(0)) || follow(&s, root, leave);
    Py_XDECREF(s.counts);
    if (failed) Py_CLEAR(s.found);
    return s.found;
}

/* --- the module, whose state belongs to one interpreter */

static PyObject *introduce(PyObject *self, PyObject *args) { /* of `acceleration.tell_accelerator` */
    Module *m = MODULE(self);
    PyObject **p = &m->value;
    if (!PyArg_ParseTuple(args, "OOOOOOOO", p, p + 1, p + 2, p + 3, p + 4, p + 5, p + 6, p + 7)) return NULL;
    Py_XSETREF(m->introduced, Py_NewRef(args));
    if (PyType_Check(m->value) && ((PyTypeObject *)m->value)->tp_basicsize == sizeof(Node)) Py_RETURN_NONE;
    PyErr_SetString(PyExc_TypeError, "Value must be a class without further slots");
    return m->value = NULL;
}

static int execute(PyObject *self) {
    Module *m = MODULE(self);
    PyObject *arithmetic = PyType_FromModuleAndSpec(self, &Arithmetic, NULL), *state = PyType_FromModuleAndSpec(self, &StateSpec, NULL);
    m->slots = PyType_FromModuleAndSpec(self, &Slots, NULL);
    m->zero = PyFloat_FromDouble(-0.0); m->one = PyFloat_FromDouble(1.0); m->minus_one = PyFloat_FromDouble(-1.0);
    m->operator_name = PyUnicode_InternFromString("_operator");
    m->floats_name = PyUnicode_InternFromString("floats"); m->partials_name = PyUnicode_InternFromString("partials");
    int failed = PyModule_AddObjectRef(self, "Arithmetic", arithmetic) < 0 || PyModule_AddObjectRef(self, "State", state) < 0
        || PyModule_AddObjectRef(self, "Slots", m->slots) < 0 || !m->zero || !m->one || !m->minus_one
        || !m->operator_name || !m->floats_name || !m->partials_name;
    Py_XDECREF(arithmetic); Py_XDECREF(state);
    return failed ? -1 : 0;
}

static int module_traverse(PyObject *self, visitproc visit, void *arg) {
    for (PyObject **p = &MODULE(self)->slots; p <= &MODULE(self)->introduced; p++) Py_VISIT(*p);
    return 0;
}

static int module_clear(PyObject *self) {
    for (PyObject **p = &MODULE(self)->slots; p <= &MODULE(self)->introduced; p++) Py_CLEAR(*p);
    return 0;
}

static void module_free(void *self) { module_clear(self); }

static PyMethodDef functions[] = {
    {"node", (PyCFunction)(void (*)(void))node, METH_FASTCALL, NULL}, {"record_op", (PyCFunction)(void (*)(void))record_op, METH_FASTCALL, NULL},
    {"count_consumers", count_consumers, METH_O, NULL}, {"add_contributions", add_contributions, METH_O, NULL},
    {"order", order, METH_O, NULL}, {"introduce", introduce, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED}, /* with one lock for all: locks have no twin here */
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_speed", "The accelerator of tinygraph.engine.", sizeof(Module),
    functions, module_slots, module_traverse, module_clear, module_free};
PyMODINIT_FUNC PyInit__speed(void) { return PyModuleDef_Init(&definition); }
