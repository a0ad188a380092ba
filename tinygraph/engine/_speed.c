/* The accelerator: what tinygraph does a million times, repeated in C. The package also runs without it.

   Each type and function has a Python twin of the same name, which is the definition: Slots and order in graph.py, State in clock.py,
   Arithmetic, node and record_op in recording.py, count_consumers and add_contributions in backward.py. A test checks that both give the
   same bits. Rare cases are left to Python (`general`, `_operator`). Compile with -ffp-contract=off: a fused product has other bits. */
#include <Python.h>
#include <structmember.h>
#include <float.h>

typedef struct { PyObject_HEAD PyObject *metadata, *op, *raw, *raw_grad, *version, *x, *x_partial, *y, *y_partial; int awaited; char is_constant; } Node;
typedef struct { PyObject_HEAD PyObject *changed, *constant_edits, *edits, *watch; } Clock;
typedef struct { /* the state of the module; the tuple `introduced` keeps the second line alive */
    PyObject *zero, *one, *minus_one, *operator_name, *floats_name, *partials_name, *slots, *state, *arithmetic, *introduced,
             *value, *general; Clock *clock; PyObject *many, *ops[4]; } Module;

static struct PyModuleDef definition;
static Module *module_of(PyObject *module) { return PyModule_GetState(module); }
static PyTypeObject *value_type(Module *m) { return (PyTypeObject *)m->value; }
static int fail(PyObject *kind, const char *message) { PyErr_SetString(kind, message); return -1; }
#define LOOP(first, last, DO) for (PyObject **p = &(first); p <= &(last); p++) DO(*p)

/* --- Slots and State. The collector does not track Values, because nodes are not part of reference cycles. */
static PyObject *node_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(options)) {
    PyObject *module = PyType_GetModuleByDef(type, &definition), *self = module ? type->tp_alloc(type, 0) : NULL;
    if (self && type == value_type(module_of(module))) PyObject_GC_UnTrack(self); /* a subclass can have attributes */
    return self;
}
static int node_traverse(PyObject *self, visitproc visit, void *arg) {
    LOOP(((Node *)self)->metadata, ((Node *)self)->y_partial, Py_VISIT); Py_VISIT(Py_TYPE(self)); return 0;
}
static int node_clear(PyObject *self) { LOOP(((Node *)self)->metadata, ((Node *)self)->y_partial, Py_CLEAR); return 0; }
static void release(PyObject *self) { PyTypeObject *type = Py_TYPE(self); type->tp_free(self); Py_DECREF(type); }
static void clock_dealloc(PyObject *self) { LOOP(((Clock *)self)->changed, ((Clock *)self)->watch, Py_CLEAR); release(self); }
/* The deallocator of a Python class calls this one, and prevents deep recursion. */
static void node_dealloc(PyObject *self) { PyObject_GC_UnTrack(self); node_clear(self); release(self); }

#define SLOT(type, name) {#name, T_OBJECT_EX, offsetof(type, name), 0, NULL}
static PyMemberDef node_members[] = {
    SLOT(Node, metadata), SLOT(Node, op), SLOT(Node, raw), SLOT(Node, raw_grad), SLOT(Node, version), SLOT(Node, x), SLOT(Node, x_partial), SLOT(Node, y),
    SLOT(Node, y_partial), {"awaited", T_INT, offsetof(Node, awaited), 0, NULL}, {"is_constant", T_BOOL, offsetof(Node, is_constant), 0, NULL}, {NULL, 0, 0, 0, NULL}};
static PyMemberDef clock_members[] = {SLOT(Clock, changed), SLOT(Clock, constant_edits), SLOT(Clock, edits), SLOT(Clock, watch), {NULL, 0, 0, 0, NULL}};
static PyType_Slot node_slots[] = {{Py_tp_new, node_new}, {Py_tp_traverse, node_traverse}, {Py_tp_clear, node_clear}, {Py_tp_dealloc, node_dealloc}, {Py_tp_members, node_members}, {0, NULL}};
static PyType_Slot clock_slots[] = {{Py_tp_dealloc, clock_dealloc}, {Py_tp_members, clock_members}, {0, NULL}};
static PyType_Spec Slots = {"tinygraph.engine._speed.Slots", sizeof(Node), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, node_slots};
static PyType_Spec State = {"tinygraph.engine._speed.State", sizeof(Clock), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, clock_slots};

/* --- recording */
static inline int is_variable(Module *m, PyObject *o) { return !PyFloat_CheckExact(o) && PyObject_TypeCheck(o, value_type(m)) && !((Node *)o)->is_constant; }

/* Record a node. This takes over the reference to `raw`, which is NULL after an error, and borrows the others. */
static PyObject *new_node(Module *m, PyTypeObject *kind, PyObject *op, PyObject *raw, PyObject *x, PyObject *y, PyObject *dx, PyObject *dy, PyObject *now) {
    Py_INCREF(op); Py_INCREF(x); Py_INCREF(y); Py_INCREF(dx); Py_INCREF(dy); Py_XINCREF(now); /* first: an allocation can run the collector */
    Node *n = !raw ? NULL : kind == value_type(m) ? PyObject_GC_New(Node, kind) : (Node *)kind->tp_alloc(kind, 0);
    if (!n) { Py_XDECREF(raw); Py_DECREF(op); Py_DECREF(x); Py_DECREF(y); Py_DECREF(dx); Py_DECREF(dy); Py_XDECREF(now); return NULL; }
    *n = (Node){n->ob_base, Py_NewRef(Py_None), op, raw, Py_NewRef(Py_None), now, x, dx, y, dy, 0, 0};
    PyObject *watch = kind == value_type(m) ? Py_XNewRef(m->clock->watch) : NULL; /* Python completes a Tensor */
    PyObject *result = watch && watch != Py_None ? PyObject_CallOneArg(watch, (PyObject *)n) : Py_NewRef(Py_None);
    if (!result) Py_CLEAR(n);
    Py_XDECREF(watch); Py_XDECREF(result); return (PyObject *)n;
}
static PyObject *node(PyObject *self, PyObject *const *a, Py_ssize_t n) { /* the last argument, the class of a Tensor, is optional */
    PyObject *kind = n == 8 ? a[7] : n == 7 ? module_of(self)->value : NULL;
    int valid = kind && PyType_Check(kind) && PyType_IsSubtype((PyTypeObject *)kind, (PyTypeObject *)module_of(self)->slots);
    return valid ? new_node(module_of(self), (PyTypeObject *)kind, a[0], Py_NewRef(a[1]), a[2], a[3], a[4], a[5], a[6]) : PyErr_Format(PyExc_TypeError, "node takes 7 objects and a class of nodes");
}

/* Return the float of a Value or a number as a borrowed reference, or NULL for another operand. An int becomes a float, which is in `made`. */
static inline PyObject *float_of(Module *m, PyObject *o, PyObject **made) {
    PyObject *raw = is_variable(m, o) ? ((Node *)o)->raw : o;
    if (raw && PyFloat_CheckExact(raw)) return raw;
    if (!PyLong_CheckExact(o) || *made) return NULL;
    if (!(*made = PyNumber_Float(o))) PyErr_Clear(); /* too large, which Python reports */
    return *made;
}

static PyObject *binary(int which, PyObject *x, PyObject *y) {
    int number_first = PyFloat_CheckExact(x) || PyLong_CheckExact(x);
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(number_first ? y : x), &definition), *made = NULL, *out = NULL, *none = Py_None;
    if (!module && !number_first) { PyErr_Clear(); module = PyType_GetModuleByDef(Py_TYPE(y), &definition); }
    if (!module || !module_of(module)->value) return NULL;
    Module *m = module_of(module);
    PyObject *op = m->ops[which], *now = m->clock->edits, *a = float_of(m, x, &made), *b = a ? float_of(m, y, &made) : NULL;
    if (b) {
        double p = PyFloat_AS_DOUBLE(a), q = PyFloat_AS_DOUBLE(b), quotient;
        int vx = is_variable(m, x), vy = is_variable(m, y);
        PyObject *left = vx ? x : a, *right = vy ? y : b;
        if (which == 0) out = new_node(m, value_type(m), op, PyFloat_FromDouble(p + q), left, right, vx ? m->one : none, vy ? m->one : none, now);
        else if (which == 1) out = new_node(m, value_type(m), op, PyFloat_FromDouble(p - q), left, right, vx ? m->one : none, vy ? m->minus_one : none, now);
        else if (which == 2) out = new_node(m, value_type(m), op, PyFloat_FromDouble(p * q), left, right, vx ? b : none, vy ? a : none, now);
        else if (q != 0 && ((quotient = p / q) == 0 || !(-DBL_MIN < quotient && quotient < DBL_MIN))) { /* it did not lose bits */
            PyObject *dx = vx ? PyFloat_FromDouble(1.0 / q) : Py_NewRef(none), *dy = vy ? PyFloat_FromDouble(-quotient / q) : Py_NewRef(none);
            out = dx && dy ? new_node(m, value_type(m), op, PyFloat_FromDouble(quotient), left, right, dx, dy, now) : NULL;
            Py_XDECREF(dx); Py_XDECREF(dy);
        }
    }
    Py_XDECREF(made);
    return out || PyErr_Occurred() ? out : PyObject_CallMethodObjArgs(m->value, m->operator_name, op, x, y, NULL);
}
#define OPERATOR(name, which) static PyObject *name(PyObject *x, PyObject *y) { return binary(which, x, y); }
OPERATOR(add, 0) OPERATOR(subtract, 1) OPERATOR(multiply, 2) OPERATOR(divide, 3)
static PyType_Slot arithmetic_slots[] = {{Py_nb_add, add}, {Py_nb_subtract, subtract}, {Py_nb_multiply, multiply}, {Py_nb_true_divide, divide}, {0, NULL}};
static PyType_Spec Arithmetic = {"tinygraph.engine._speed.Arithmetic", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, arithmetic_slots};

static PyObject *record_op(PyObject *self, PyObject *const *given, Py_ssize_t n) {
    Module *m = module_of(self);
    if (n < 2 || n > 3 || !m->value) return PyErr_Format(PyExc_TypeError, "record_op takes op, x and y");
    PyObject *op = given[0], *x = given[1], *y = n == 3 ? given[2] : Py_None, *operands, *out = NULL;
    size_t count = y == Py_None ? 1 : 2;
    if (is_variable(m, x) && ((Node *)x)->raw && (y == Py_None || PyFloat_CheckExact(y))) {
        PyObject *now = Py_XNewRef(m->clock->edits), *numbers[3] = {NULL, Py_NewRef(((Node *)x)->raw), y}, *dx = NULL;
        PyObject *kernel = PyObject_GetAttr(op, m->floats_name), *partials = kernel ? PyObject_GetAttr(op, m->partials_name) : NULL;
        PyObject *partial = partials ? PySequence_GetItem(partials, 0) : NULL;
        if (partial) numbers[0] = PyObject_Vectorcall(kernel, numbers + 1, count, NULL); /* it can run any code */
        if (numbers[0]) dx = PyObject_Vectorcall(partial, numbers, count + 1, NULL);
        if (dx) out = new_node(m, value_type(m), op, Py_NewRef(numbers[0]), x, y, dx, Py_None, now);
        Py_XDECREF(now); Py_XDECREF(numbers[0]); Py_DECREF(numbers[1]); Py_XDECREF(dx); Py_XDECREF(kernel); Py_XDECREF(partials); Py_XDECREF(partial);
        if (out || !PyErr_ExceptionMatches(PyExc_ZeroDivisionError)) return out;
        PyErr_Clear();
    }
    if ((operands = PyTuple_Pack(count, x, y))) out = PyObject_CallFunctionObjArgs(m->general, op, operands, NULL);
    Py_XDECREF(operands);
    return out;
}

/* --- traversals: the stack has its own references, because a number, a signal handler and a finalizer can run any code */
enum Task { COUNT, ADD, MEET, LEAVE }; /* the two traversals of a pass, and the two of `order`, which counts in a dict */
typedef struct { Module *m; enum Task task; PyObject **nodes, *counts, *found; Py_ssize_t size, room; int suspicious; } Stack;

static inline int push(Stack *s, PyObject *o) {
    PyObject **more = s->size < s->room ? s->nodes : PyMem_Realloc(s->nodes, (s->room = s->room ? 2 * s->room : 256) * sizeof(PyObject *));
    if (!more) { PyErr_NoMemory(); return -1; }
    (s->nodes = more)[s->size++] = Py_NewRef(o);
    return 0;
}
static inline int is_node(Stack *s, PyObject *o) { return Py_IS_TYPE(o, value_type(s->m)) || PyObject_TypeCheck(o, (PyTypeObject *)s->m->slots); }
static int count_in_dict(Stack *s, PyObject *operand) {
    if (!is_node(s, operand)) return 0;
    PyObject *count = PyDict_GetItemWithError(s->counts, operand);
    if (!count && PyErr_Occurred()) return -1;
    Py_ssize_t now = (count ? PyLong_AsSsize_t(count) : 0) + (s->task == MEET ? 1 : -1);
    int failed = !(count = PyLong_FromSsize_t(now)) || PyDict_SetItem(s->counts, operand, count);
    Py_XDECREF(count);
    return failed ? -1 : now == (s->task == MEET) ? push(s, operand) : 0;
}
static int add_objects(Stack *s, Node *n, PyObject *local, PyObject *upstream) { /* a LogitPair, for example */
    Py_INCREF(n); Py_INCREF(local);
    PyObject *contribution = PyNumber_Multiply(upstream, local), *old = Py_XNewRef(n->raw_grad);
    PyObject *sum = contribution && old ? PyNumber_InPlaceAdd(old, contribution) : NULL;
    if (sum) Py_XSETREF(n->raw_grad, sum);
    int failed = !sum ? -1 : --n->awaited ? 0 : push(s, (PyObject *)n);
    Py_XDECREF(contribution); Py_XDECREF(old); Py_DECREF(local); Py_DECREF(n);
    return failed;
}

static inline int visit(Stack *s, PyObject *operand, PyObject *local, PyObject *upstream) {
    Node *n = (Node *)operand;
    if (!operand || !local || !upstream) return -1;
    if (s->task >= MEET) return count_in_dict(s, operand);
    if (local == Py_None) return 0;
    if (!is_node(s, operand)) return fail(PyExc_TypeError, "an operand with a local derivative must be a node");
    if (s->task == COUNT) { /* push first: the old gradient can be an object that runs code when it is freed */
        int first = !n->awaited++, failed = first ? push(s, operand) : 0;
        if (first) Py_XSETREF(n->raw_grad, Py_NewRef(s->m->zero));
        return failed;
    }
    if (!n->raw_grad || !PyFloat_CheckExact(local) || !PyFloat_CheckExact(upstream) || !PyFloat_CheckExact(n->raw_grad))
        return add_objects(s, n, local, upstream);
    PyObject *sum = PyFloat_FromDouble(PyFloat_AS_DOUBLE(n->raw_grad) + PyFloat_AS_DOUBLE(upstream) * PyFloat_AS_DOUBLE(local));
    if (sum) Py_SETREF(n->raw_grad, sum);
    return !sum ? -1 : --n->awaited ? 0 : push(s, operand);
}
static int visit_operands(Stack *s, Node *n, PyObject *upstream) {
    if (n->y_partial != s->m->many) return visit(s, n->x, n->x_partial, upstream) || visit(s, n->y, n->y_partial, upstream) ? -1 : 0;
    PyObject *x = Py_XNewRef(n->x), *y = Py_XNewRef(n->y);
    int failed = x && y && PyTuple_Check(x) && PyTuple_Check(y) ? 0 : fail(PyExc_TypeError, "operands must be a tuple");
    for (Py_ssize_t i = 0, all = s->task >= MEET; !failed && i < PyTuple_GET_SIZE(x) && (all || i < PyTuple_GET_SIZE(y)); i++)
        failed = visit(s, PyTuple_GET_ITEM(x, i), all ? Py_None : PyTuple_GET_ITEM(y, i), upstream);
    Py_XDECREF(x); Py_XDECREF(y);
    return failed;
}

static int traverse(Stack *s, PyObject *root) {
    if (!s->m->value) return fail(PyExc_RuntimeError, "the class Value is not defined yet");
    PyObject *changed = s->m->clock->changed;
    int failed = is_node(s, root) ? push(s, root) : fail(PyExc_TypeError, "the root must be a node");
    for (unsigned steps = 1; s->size && !failed; steps++) {
        Node *n = (Node *)s->nodes[--s->size];
        PyObject *upstream = s->task == ADD ? Py_XNewRef(n->raw_grad) : Py_NewRef(Py_None);
        if (s->task == COUNT && n->version != changed && n->op != Py_None && !s->suspicious)
            failed = !n->version || (s->suspicious = PyObject_RichCompareBool(n->version, changed, Py_LT)) < 0;
        if (s->task == LEAVE) failed = PyList_Append(s->found, (PyObject *)n);
        failed = failed || visit_operands(s, n, upstream) || (!(steps & 1023) && PyErr_CheckSignals()) ? -1 : 0;
        Py_XDECREF(upstream); Py_DECREF(n);
    }
    while (s->size) Py_DECREF(s->nodes[--s->size]);
    PyMem_Free(s->nodes); s->nodes = NULL; s->room = 0;
    return failed && !PyErr_Occurred() ? fail(PyExc_AttributeError, "a node is incomplete") : failed;
}
static PyObject *count_consumers(PyObject *self, PyObject *root) {
    Stack s = {.m = module_of(self), .task = COUNT};
    return traverse(&s, root) ? NULL : PyBool_FromLong(s.suspicious);
}
static PyObject *add_contributions(PyObject *self, PyObject *root) {
    Stack s = {.m = module_of(self), .task = ADD};
    return traverse(&s, root) ? NULL : Py_NewRef(Py_None);
}
static PyObject *order(PyObject *self, PyObject *root) {
    Stack s = {.m = module_of(self), .task = MEET, .counts = PyDict_New(), .found = PyList_New(0)};
    if (!s.counts || !s.found || traverse(&s, root) || (s.task = LEAVE, traverse(&s, root))) Py_CLEAR(s.found);
    Py_XDECREF(s.counts);
    return s.found;
}

/* --- the module */
static PyObject *introduce(PyObject *self, PyObject *args) { /* of `acceleration.tell_accelerator` */
    PyObject *p[8];
    if (!PyArg_ParseTuple(args, "O!OO!OOOOO", &PyType_Type, p, p + 1, module_of(self)->state, p + 2, p + 3, p + 4, p + 5, p + 6, p + 7)) return NULL;
    if (((PyTypeObject *)p[0])->tp_basicsize != sizeof(Node)) return PyErr_Format(PyExc_TypeError, "Value must have no more slots");
    memcpy(&module_of(self)->value, p, sizeof p);
    Py_XSETREF(module_of(self)->introduced, Py_NewRef(args));
    Py_RETURN_NONE;
}
static int execute(PyObject *module) {
    Module *m = module_of(module);
    PyObject *made[9] = {
        PyFloat_FromDouble(-0.0), PyFloat_FromDouble(1.0), PyFloat_FromDouble(-1.0), PyUnicode_InternFromString("_operator"),
        PyUnicode_InternFromString("floats"), PyUnicode_InternFromString("partials"), PyType_FromModuleAndSpec(module, &Slots, NULL),
        PyType_FromModuleAndSpec(module, &State, NULL), PyType_FromModuleAndSpec(module, &Arithmetic, NULL)};
    memcpy(&m->zero, made, sizeof made); /* in the order of the fields */
    for (int i = 0; i < 9; i++) if (!made[i] || (i > 5 && PyModule_AddType(module, (PyTypeObject *)made[i]))) return -1;
    return 0;
}
static int module_traverse(PyObject *self, visitproc visit, void *arg) { LOOP(module_of(self)->zero, module_of(self)->introduced, Py_VISIT); return 0; }
static int module_clear(PyObject *self) { LOOP(module_of(self)->zero, module_of(self)->introduced, Py_CLEAR); module_of(self)->value = NULL; return 0; }
static void module_free(void *self) { module_clear(self); }

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
