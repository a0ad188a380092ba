/* The accelerator: what tinygraph does a million times, repeated in C. The package also runs without it. Each type and function has a Python twin of the same
   name, which is the definition: Slots, order and older in graph.py, State in clock.py, Caller and untracked in acceleration.py, Arithmetic and node in recording.py, the rest in backward.py.
   A test checks that both give the same bits. Rare cases are left to Python (`_call`, `_operator`). Compile with -ffp-contract=off: a fused product has other bits. */
#include <Python.h>
#include <structmember.h>
#include <float.h>
#include <math.h>
typedef struct Node { PyObject_HEAD PyObject *metadata, *op, *raw, *raw_grad, *version, *x, *x_partial, *y, *y_partial;
    union { struct { int awaited; unsigned consumers : 31, is_constant : 1; } is; struct Node *next; } in; } Node;
typedef struct { PyObject_HEAD PyObject *changed, *constant_edits, *edits, *watch; } Clock;
typedef struct { /* the state of the module; the tuple `introduced` keeps the last line alive */
    PyObject *zero, *one, *minus_one, *operator_name, *call_name, *floats_name, *partials_name, *detour_name, *slots, *state, *arithmetic, *caller, *introduced,
             *value; Clock *clock; PyObject *many, *ops[4], *sigmoid, *limit, *twins; int ordering; } Module;
static struct PyModuleDef definition;
static Module *module_of(PyObject *module) { return PyModule_GetState(module); }
static Module *module_of_type(PyTypeObject *type) { PyObject *module = PyType_GetModuleByDef(type, &definition); return module ? module_of(module) : NULL; }
static PyTypeObject *value_type(Module *m) { return (PyTypeObject *)m->value; }
static int fail(PyObject *kind, const char *message) { PyErr_SetString(kind, message); return -1; }
static PyObject *in_python(Module *m, const char *name, PyObject *const *args, Py_ssize_t count) {
    PyObject *twin = m->twins ? PyDict_GetItemString(m->twins, name) : NULL;
    return twin ? PyObject_Vectorcall(twin, args, count, NULL) : (fail(PyExc_RuntimeError, "`introduce` was not called"), NULL); }
#ifdef _MSC_VER
#define _Thread_local __declspec(thread)
#endif
#define LOOP(first, last, DO) for (PyObject **p = &(first); p <= &(last); p++) DO(*p)
/* --- Slots and State. Nodes of an untracked class are smaller and faster. Python clears slots that Python classes add (`watched`) only in tracked objects. */
#define NODE_LOOP(DO) LOOP(((Node *)self)->metadata, ((Node *)self)->y_partial, DO)
static int node_traverse(PyObject *self, visitproc visit, void *arg) { NODE_LOOP(Py_VISIT); Py_VISIT(Py_TYPE(self)); return 0; }
static int node_clear(PyObject *self) { NODE_LOOP(Py_CLEAR); return 0; }
static void release(PyObject *self) { PyTypeObject *type = Py_TYPE(self); type->tp_free(self); Py_DECREF(type); }
static void clock_dealloc(PyObject *self) { LOOP(((Clock *)self)->changed, ((Clock *)self)->watch, Py_CLEAR); release(self); }
static _Thread_local struct { Node *first; int freeing; } dead; /* nodes are freed one after the other, because a recursion could exceed the stack */
static void node_dealloc(PyObject *self) {
    Node *n = (Node *)self; n->in.next = dead.first; dead.first = n;
    if (!dead.freeing) for (dead.freeing = 1; (n = dead.first) || (dead.freeing = 0); release((PyObject *)n)) {
        PyObject **more = (PyObject **)(n + 1), **end = PyType_IS_GC(Py_TYPE(n)) ? more : (PyObject **)((char *)n + Py_TYPE(n)->tp_basicsize);
        for (dead.first = n->in.next, node_clear((PyObject *)n); more < end; more++) Py_CLEAR(*more); } }
#define SPEC(name, type, ...) static PyType_Slot name##_slots[] = {__VA_ARGS__, {0, NULL}}; \
    static PyType_Spec name = {"tinygraph.engine._speed." #name, sizeof(type), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, name##_slots};
#define SLOT(type, name) {#name, T_OBJECT_EX, offsetof(type, name), 0, NULL}
static PyMemberDef node_members[] = {
    SLOT(Node, metadata), SLOT(Node, op), SLOT(Node, raw), SLOT(Node, raw_grad), SLOT(Node, version), SLOT(Node, x), SLOT(Node, x_partial), SLOT(Node, y), SLOT(Node, y_partial),
    {"awaited", T_INT, offsetof(Node, in.is.awaited), 0, NULL}, {NULL, 0, 0, 0, NULL}};
static PyObject *get_constant(PyObject *self, void *Py_UNUSED(closure)) { return PyBool_FromLong(((Node *)self)->in.is.is_constant); }
static int set_constant(PyObject *self, PyObject *wanted, void *Py_UNUSED(closure)) { ((Node *)self)->in.is.is_constant = wanted == Py_True; return 0; }
static PyGetSetDef node_properties[] = {{"is_constant", get_constant, set_constant, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};
static PyMemberDef clock_members[] = {SLOT(Clock, changed), SLOT(Clock, constant_edits), SLOT(Clock, edits), SLOT(Clock, watch), {NULL, 0, 0, 0, NULL}};
SPEC(Slots, Node, {Py_tp_traverse, node_traverse}, {Py_tp_clear, node_clear}, {Py_tp_dealloc, node_dealloc}, {Py_tp_members, node_members}, {Py_tp_getset, node_properties})
SPEC(State, Clock, {Py_tp_dealloc, clock_dealloc}, {Py_tp_members, clock_members})
/* --- recording */
static inline int is_variable(Module *m, PyObject *o) { return !PyFloat_CheckExact(o) && PyObject_TypeCheck(o, value_type(m)) && !((Node *)o)->in.is.is_constant; }
/* Record a node. This takes over the reference to `raw`, which is NULL after an error, and borrows the others. */
static PyObject *new_node(Module *m, PyTypeObject *kind, PyObject *op, PyObject *raw, PyObject *x, PyObject *y, PyObject *dx, PyObject *dy, PyObject *now) {
    Py_INCREF(op); Py_INCREF(x); Py_INCREF(y); Py_INCREF(dx); Py_INCREF(dy); Py_XINCREF(now); /* first: an allocation can run the collector */
    Node *n = !raw ? NULL : kind == value_type(m) ? PyObject_New(Node, kind) : (Node *)kind->tp_alloc(kind, 0);
    if (!n) { Py_XDECREF(raw); Py_DECREF(op); Py_DECREF(x); Py_DECREF(y); Py_DECREF(dx); Py_DECREF(dy); Py_XDECREF(now); return NULL; }
    *n = (Node){n->ob_base, Py_NewRef(Py_None), op, raw, Py_NewRef(Py_None), now, x, dx, y, dy, {{0, 0, 0}}};
    PyObject *watch = kind == value_type(m) ? Py_XNewRef(m->clock->watch) : NULL; /* Python completes a Tensor */
    PyObject *result = watch && watch != Py_None ? PyObject_CallOneArg(watch, (PyObject *)n) : Py_NewRef(Py_None);
    if (!result) Py_CLEAR(n);
    Py_XDECREF(watch); Py_XDECREF(result); return (PyObject *)n; }
static PyTypeObject *class_of_nodes(PyObject *self, PyObject *o) {
    if (o && PyType_Check(o) && PyType_IsSubtype((PyTypeObject *)o, (PyTypeObject *)module_of(self)->slots)) return (PyTypeObject *)o;
    PyErr_SetString(PyExc_TypeError, "the argument must be a class of nodes"); return NULL; }
static PyObject *node(PyObject *self, PyObject *const *a, Py_ssize_t n) { /* the last argument, the class of a Tensor, is optional */
    PyTypeObject *kind = class_of_nodes(self, n == 8 ? a[7] : n == 7 ? module_of(self)->value : NULL);
    return kind ? new_node(module_of(self), kind, a[0], Py_NewRef(a[1]), a[2], a[3], a[4], a[5], a[6]) : NULL; }
static PyObject *untracked(PyObject *self, PyObject *o) {
    PyTypeObject *kind = class_of_nodes(self, o); if (!kind) return NULL; kind->tp_flags &= ~Py_TPFLAGS_HAVE_GC; kind->tp_free = PyObject_Free; return Py_NewRef(o); }
/* Return the float of a Value or a number as a borrowed reference, or NULL for another operand. An int becomes a float, which is in `made`. */
static inline PyObject *float_of(Module *m, PyObject *o, PyObject **made) {
    PyObject *raw = is_variable(m, o) ? ((Node *)o)->raw : o;
    if ((raw && PyFloat_CheckExact(raw)) || !PyLong_CheckExact(o) || *made) return raw && PyFloat_CheckExact(raw) ? raw : NULL;
    return (*made = PyNumber_Float(o)) ? *made : (PyErr_Clear(), NULL); /* too large, which Python reports */
}
static PyObject *binary(int which, PyObject *x, PyObject *y) {
    int number_first = PyFloat_CheckExact(x) || PyLong_CheckExact(x); Module *m = module_of_type(Py_TYPE(number_first ? y : x));
    if (!m && !number_first) { PyErr_Clear(); m = module_of_type(Py_TYPE(y)); } if (!m || !m->value) return NULL;
    PyObject *made = NULL, *out = NULL, *none = Py_None, *op = m->ops[which], *now = m->clock->edits, *a = float_of(m, x, &made), *b = a ? float_of(m, y, &made) : NULL;
    if (b) {
        double p = PyFloat_AS_DOUBLE(a), q = PyFloat_AS_DOUBLE(b), quotient; int vx = is_variable(m, x), vy = is_variable(m, y);
        PyObject *left = vx ? x : a, *right = vy ? y : b;
        if (which == 0) out = new_node(m, value_type(m), op, PyFloat_FromDouble(p + q), left, right, vx ? m->one : none, vy ? m->one : none, now);
        else if (which == 1) out = new_node(m, value_type(m), op, PyFloat_FromDouble(p - q), left, right, vx ? m->one : none, vy ? m->minus_one : none, now);
        else if (which == 2) out = new_node(m, value_type(m), op, PyFloat_FromDouble(p * q), left, right, vx ? b : none, vy ? a : none, now);
        else if (q != 0 && ((quotient = p / q) == 0 || !(-DBL_MIN < quotient && quotient < DBL_MIN))) { /* it did not lose bits */
            PyObject *dx = vx ? PyFloat_FromDouble(1.0 / q) : Py_NewRef(none), *dy = vy ? PyFloat_FromDouble(-quotient / q) : Py_NewRef(none);
            out = dx && dy ? new_node(m, value_type(m), op, PyFloat_FromDouble(quotient), left, right, dx, dy, now) : NULL; Py_XDECREF(dx); Py_XDECREF(dy); } }
    Py_XDECREF(made); return out || PyErr_Occurred() ? out : PyObject_CallMethodObjArgs(m->value, m->operator_name, op, x, y, NULL); }
#define OPERATOR(name, which) static PyObject *name(PyObject *x, PyObject *y) { return binary(which, x, y); }
OPERATOR(add, 0) OPERATOR(subtract, 1) OPERATOR(multiply, 2) OPERATOR(divide, 3)
SPEC(Arithmetic, PyObject, {Py_nb_add, add}, {Py_nb_subtract, subtract}, {Py_nb_multiply, multiply}, {Py_nb_true_divide, divide})
/* Compute an op of floats, or record it on a Value and at most one float. Return NULL without an error for another case. */
static PyObject *quick(Module *m, PyObject *op, PyObject *x, PyObject *y, size_t count) {
    Node *n = PyFloat_CheckExact(x) ? NULL : (Node *)x, *logit = NULL;
    PyObject *now = n ? Py_XNewRef(m->clock->edits) : NULL, *numbers[3] = {NULL, Py_XNewRef(n ? n->raw : x), y}, *kernel = NULL, *partials = NULL, *dx = NULL, *out = NULL;
    PyObject *detour = n ? PyObject_GetAttr(op, m->detour_name) : Py_NewRef(Py_None), *rule = detour == Py_None ? op : NULL;
    if (detour && !rule && PyObject_TypeCheck(detour, (PyTypeObject *)m->caller) && n->op == m->sigmoid && count == 2 && is_variable(m, n->x) && (logit = (Node *)n->x)->raw && PyFloat_CheckExact(logit->raw)
        && fabs(PyFloat_AS_DOUBLE(logit->raw)) <= PyFloat_AS_DOUBLE(m->limit)) { rule = detour; Py_SETREF(numbers[1], Py_NewRef(logit->raw)); }
    if (rule && numbers[1] && (kernel = PyObject_GetAttr(rule, m->floats_name))) partials = PyObject_GetAttr(rule, m->partials_name);
    if (partials && PyTuple_Check(partials) && PyTuple_GET_SIZE(partials) == (Py_ssize_t)count) numbers[0] = PyObject_Vectorcall(kernel, numbers + 1, count, NULL);
    if (numbers[0] && !n) out = Py_NewRef(numbers[0]);
    else if (numbers[0]) dx = PyObject_Vectorcall(PyTuple_GET_ITEM(partials, 0), numbers, count + 1, NULL); /* this can run any code */
    if (dx && logit) { PyObject *known = Py_XNewRef(n->x_partial); Py_SETREF(dx, known ? PyNumber_TrueDivide(dx, known) : NULL); Py_XDECREF(known); }
    if (dx) out = new_node(m, value_type(m), op, Py_NewRef(numbers[0]), x, y, dx, Py_None, now);
    Py_XDECREF(now); Py_XDECREF(numbers[0]); Py_XDECREF(numbers[1]); Py_XDECREF(kernel); Py_XDECREF(partials); Py_XDECREF(dx); Py_XDECREF(detour); return out; }
static PyObject *op_call(PyObject *op, PyObject *args, PyObject *options) {
    Module *m = module_of_type(Py_TYPE(op)); if (!m) return NULL; PyObject *out = NULL, *y = Py_None;
    Py_ssize_t count = options ? 0 : PyTuple_GET_SIZE(args);
    if (count == 1 || (count == 2 && PyFloat_CheckExact(y = PyTuple_GET_ITEM(args, 1)))) {
        PyObject *x = PyTuple_GET_ITEM(args, 0);
        if (PyFloat_CheckExact(x) || (m->value && is_variable(m, x))) out = quick(m, op, x, y, count);
        if (out || (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_ZeroDivisionError))) return out; else PyErr_Clear(); }
    PyObject *general = PyObject_GetAttr(op, m->call_name);
    if (general) { out = PyObject_Call(general, args, options); Py_DECREF(general); } return out; }
SPEC(Caller, PyObject, {Py_tp_call, op_call})
/* --- traversals: the stack has its own references, because a number, a signal handler and a finalizer can run any code */
typedef struct { Module *m; enum { COUNT, ADD, RESET, SCHEDULE } task; PyObject **nodes, *found; Py_ssize_t size, room; int suspicious; } Stack;
static inline int push(Stack *s, PyObject *o) {
    PyObject **more = s->size < s->room ? s->nodes : PyMem_Realloc(s->nodes, (s->room = s->room ? 2 * s->room : 256) * sizeof(PyObject *));
    if (more) (s->nodes = more)[s->size++] = Py_NewRef(o); else PyErr_NoMemory();
    return more ? 0 : -1; }
static void empty(Stack *s) { while (s->size) Py_DECREF(s->nodes[--s->size]); PyMem_Free(s->nodes); }
static inline int is_node(Stack *s, PyObject *o) { return Py_IS_TYPE(o, value_type(s->m)) || PyObject_TypeCheck(o, (PyTypeObject *)s->m->slots); }
static int add_objects(Stack *s, Node *n, PyObject *local, PyObject *upstream) { /* a LogitPair, for example */
    Py_INCREF(n); Py_INCREF(local); PyObject *contribution = PyNumber_Multiply(upstream, local), *old = Py_XNewRef(n->raw_grad);
    PyObject *sum = contribution && old ? PyNumber_InPlaceAdd(old, contribution) : NULL;
    if (sum) Py_XSETREF(n->raw_grad, sum);
    int failed = !sum ? -1 : --n->in.is.awaited ? 0 : push(s, (PyObject *)n);
    Py_XDECREF(contribution); Py_XDECREF(old); Py_DECREF(local); Py_DECREF(n); return failed; }
static inline int visit(Stack *s, PyObject *operand, PyObject *local, PyObject *upstream) {
    Node *n = (Node *)operand; if (!operand || !local || !upstream || local == Py_None) return operand && local && upstream ? 0 : -1;
    if (!is_node(s, operand)) return fail(PyExc_TypeError, "an operand with a local derivative must be a node");
    if (s->task == RESET) return n->in.is.awaited || n->raw_grad != Py_None ? push(s, operand) : 0;
    if (s->task == COUNT) { /* push first: the old gradient can be an object that runs code when it is freed */
        int first = !n->in.is.awaited++, failed = first ? push(s, operand) : 0; if (first) Py_XSETREF(n->raw_grad, Py_NewRef(s->m->zero));
        return failed; }
    if (s->task == SCHEDULE) return --n->in.is.awaited ? 0 : push(s, operand);
    if (!n->raw_grad || !PyFloat_CheckExact(local) || !PyFloat_CheckExact(upstream) || !PyFloat_CheckExact(n->raw_grad))
        return add_objects(s, n, local, upstream);
    double sum = PyFloat_AS_DOUBLE(n->raw_grad) + PyFloat_AS_DOUBLE(upstream) * PyFloat_AS_DOUBLE(local);
    PyObject *made = Py_REFCNT(n->raw_grad) == 1 ? n->raw_grad : PyFloat_FromDouble(sum); /* nothing else refers to it */
    if (made == n->raw_grad) ((PyFloatObject *)made)->ob_fval = sum; else if (made) Py_SETREF(n->raw_grad, made); else return -1;
    return --n->in.is.awaited ? 0 : push(s, operand); }
static int visit_operands(Stack *s, Node *n, PyObject *upstream) {
    if (n->y_partial != s->m->many) return visit(s, n->x, n->x_partial, upstream) || visit(s, n->y, n->y_partial, upstream) ? -1 : 0;
    PyObject *x = Py_XNewRef(n->x), *y = Py_XNewRef(n->y);
    int failed = x && y && PyTuple_Check(x) && PyTuple_Check(y) ? 0 : fail(PyExc_TypeError, "operands must be a tuple");
    for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(x) && i < PyTuple_GET_SIZE(y); i++)
        failed = visit(s, PyTuple_GET_ITEM(x, i), PyTuple_GET_ITEM(y, i), upstream);
    Py_XDECREF(x); Py_XDECREF(y); return failed; }
static int traverse(Stack *s, PyObject *root) {
    int failed = s->m->value && is_node(s, root) ? push(s, root) : fail(PyExc_TypeError, "the root must be a node");
    PyObject *changed = failed ? NULL : s->m->clock->changed;
    for (unsigned steps = 1; s->size && !failed; steps++) {
        Node *n = (Node *)s->nodes[--s->size];
        if (s->task == RESET) { n->in.is.awaited = 0; Py_XSETREF(n->raw_grad, Py_NewRef(Py_None)); }
        PyObject *upstream = s->task == ADD ? Py_XNewRef(n->raw_grad) : Py_NewRef(Py_None);
        if (s->task == COUNT && n->version != changed && n->op != Py_None && !s->suspicious)
            failed = !n->version || (s->suspicious = PyObject_RichCompareBool(n->version, changed, Py_LT)) < 0;
        if (s->task == SCHEDULE) failed = PyList_Append(s->found, (PyObject *)n);
        failed = failed || visit_operands(s, n, upstream) || (!(steps & 1023) && s->task != RESET && PyErr_CheckSignals()) ? -1 : 0;
        Py_XDECREF(upstream); Py_DECREF(n); }
    empty(s); return failed && !PyErr_Occurred() ? fail(PyExc_AttributeError, "a node is incomplete") : failed; }
#define PASS(name, which) static PyObject *name(PyObject *self, PyObject *root) { \
    Stack s = {.m = module_of(self), .task = which}; return traverse(&s, root) ? NULL : PyBool_FromLong(s.suspicious); }
PASS(count_consumers, COUNT) PASS(add_contributions, ADD) PASS(reset, RESET) /* no signal ends the last one: a node without a gradient hides the others */
static PyObject *schedule(PyObject *self, PyObject *root) {
    Stack s = {.m = module_of(self), .task = SCHEDULE, .found = PyList_New(0)};
    if (s.found && !traverse(&s, root)) return s.found; else Py_XDECREF(s.found); return NULL; }
/* Add a step of 1 or -1 to the counts of a node's operands. Push each operand that is counted first, or whose last consumer was counted down. */
static int count_operands(Stack *s, Node *n, int step) {
    if (!n->x || !n->y || !n->y_partial) return fail(PyExc_AttributeError, "a node is incomplete");
    int many = n->y_partial == s->m->many && PyTuple_Check(n->x);
    for (Py_ssize_t i = 0; i < (many ? PyTuple_GET_SIZE(n->x) : 2); i++) {
        Node *o = (Node *)(many ? PyTuple_GET_ITEM(n->x, i) : i ? n->y : n->x);
        if (!is_node(s, (PyObject *)o) || (step < 0 && !o->in.is.consumers)) continue;
        o->in.is.consumers += step;
        if (o->in.is.consumers == (step > 0) && push(s, (PyObject *)o)) return -1; }
    return 0; }
/* The counts are in the nodes, so a call from a signal handler, while this function runs, leads to the Python twin, which counts in a dict. */
static PyObject *order(PyObject *self, PyObject *root) {
    Module *m = module_of(self); Stack met = {.m = m}, ready = {.m = m};
    if (!m->value || m->ordering || !is_node(&met, root)) return in_python(m, "order", &root, 1);
    PyObject *found = PyList_New(0), *n; int failed = !found || push(&met, root) || push(&ready, root); m->ordering = 1;
    for (Py_ssize_t k = 0; k < met.size && !failed; k++)
        failed = count_operands(&met, (Node *)met.nodes[k], 1) || (!(k & 1023) && PyErr_CheckSignals());
    for (; ready.size && !failed; Py_DECREF(n)) {
        n = ready.nodes[--ready.size];
        failed = PyList_Append(found, n) || count_operands(&ready, (Node *)n, -1) || (!(PyList_GET_SIZE(found) & 1023) && PyErr_CheckSignals()); }
    for (Py_ssize_t k = 0; k < met.size; k++) ((Node *)met.nodes[k])->in.is.consumers = 0; /* also after an interrupt */
    m->ordering = 0; empty(&met); empty(&ready); if (failed) Py_CLEAR(found); return found; }
/* The chain rule for floats, along `nodes` (which `order` returned). Every other case is left to the Python twin. */
static PyObject *adjoints(PyObject *self, PyObject *const *a, Py_ssize_t count) {
    Module *m = module_of(self); Stack s = {.m = m}; struct { double sum; int reached; } *g = NULL;
    int failed = 0, other = !m->value || m->ordering || count != 2 || !PyList_CheckExact(a[0]) || !PyList_GET_SIZE(a[0]) || !PyFloat_CheckExact(a[1]);
    PyObject *found = other ? NULL : PyList_New(0), *x;
    if (found) m->ordering = 1; /* no other call may use the numbers of the nodes */
    for (Py_ssize_t k = 0; found && !other && !failed && k < PyList_GET_SIZE(a[0]); failed = failed || (!(++k & 1023) && PyErr_CheckSignals()))
        if (!(other = !is_node(&s, PyList_GET_ITEM(a[0], k))) && !(failed = push(&s, PyList_GET_ITEM(a[0], k)))) ((Node *)s.nodes[k])->in.is.consumers = k;
    if (found && !other && !failed && (g = PyMem_Calloc(s.size + 1, sizeof *g))) g[0].sum = PyFloat_AS_DOUBLE(a[1]), g[0].reached = 1;
    for (Py_ssize_t k = 0; g && k < s.size && !other && !failed; failed = failed || (!(++k & 1023) && PyErr_CheckSignals())) {
        Node *n = (Node *)s.nodes[k]; int many = n->y_partial == m->many && n->x && n->y && PyTuple_Check(n->x) && PyTuple_Check(n->y);
        for (Py_ssize_t i = 0; g[k].reached && !other && i < (many ? Py_MIN(PyTuple_GET_SIZE(n->x), PyTuple_GET_SIZE(n->y)) : 2); i++) {
            PyObject *operand = many ? PyTuple_GET_ITEM(n->x, i) : i ? n->y : n->x, *local = many ? PyTuple_GET_ITEM(n->y, i) : i ? n->y_partial : n->x_partial;
            Py_ssize_t j = operand && is_node(&s, operand) ? ((Node *)operand)->in.is.consumers : 0;
            if (local == Py_None) continue;
            if ((other = !local || !PyFloat_CheckExact(local) || j <= k || j >= s.size || s.nodes[j] != operand)) break;
            g[j].sum = (g[j].reached ? g[j].sum : -0.0) + g[k].sum * PyFloat_AS_DOUBLE(local); g[j].reached = 1; }
        x = g[k].reached ? PyFloat_FromDouble(g[k].sum) : Py_NewRef(Py_None); failed = !x || PyList_Append(found, x); Py_XDECREF(x); }
    if (found && !other && !g && !failed) PyErr_NoMemory();
    for (Py_ssize_t k = 0; k < s.size; k++) ((Node *)s.nodes[k])->in.is.consumers = 0; /* also after an interrupt */
    if (found) m->ordering = 0;
    empty(&s); if (!g || other || failed) Py_CLEAR(found); PyMem_Free(g);
    return found || PyErr_Occurred() ? found : in_python(m, "adjoints", a, count); }
/* Return the nodes that are older than a time. Times are ints, whose comparison runs no other code. */
static PyObject *older(PyObject *self, PyObject *const *a, Py_ssize_t count) {
    Stack s = {.m = module_of(self)}; int failed = 0, other = !s.m->value || count != 2 || !PyList_CheckExact(a[0]) || !PyLong_CheckExact(a[1]);
    PyObject *found = other ? NULL : PyList_New(0), *version;
    for (Py_ssize_t k = 0; found && !other && !failed && k < PyList_GET_SIZE(a[0]); failed = failed || (!(++k & 1023) && PyErr_CheckSignals())) {
        Node *n = (Node *)PyList_GET_ITEM(a[0], k);
        if (!(other = !is_node(&s, (PyObject *)n) || !(version = n->version) || !PyLong_CheckExact(version)) && version != a[1])
            failed = PyObject_RichCompareBool(version, a[1], Py_LT) && PyList_Append(found, (PyObject *)n); }
    if (!other && !failed) return found; else Py_XDECREF(found); return failed ? NULL : in_python(s.m, "older", a, count); }
/* --- the module */
static PyObject *introduce(PyObject *self, PyObject *args) { /* of `acceleration.tell_accelerator` */
    PyObject *p[10], **q = p;
    if (!PyArg_ParseTuple(args, "O!O!OOOOOOO!O!", &PyType_Type, q, module_of(self)->state, q + 1, q + 2, q + 3, q + 4, q + 5, q + 6, q + 7, &PyFloat_Type, q + 8, &PyDict_Type, q + 9)) return NULL;
    PyTypeObject *value = (PyTypeObject *)p[0];
    if (value->tp_basicsize != sizeof(Node) || PyType_IS_GC(value)) return PyErr_Format(PyExc_TypeError, "Value must be untracked, and have no more slots");
    memcpy(&module_of(self)->value, p, sizeof p); Py_XSETREF(module_of(self)->introduced, Py_NewRef(args)); Py_RETURN_NONE; }
static int execute(PyObject *module) {
    static const char *names[] = {"_operator", "_call", "floats", "partials", "detour"}; PyType_Spec *types[] = {&Slots, &State, &Arithmetic, &Caller};
    PyObject **made = &module_of(module)->zero; double numbers[] = {-0.0, 1.0, -1.0}; /* the first fields, in this order */
    for (int i = 0; i < 8; i++) if (!(*made++ = i < 3 ? PyFloat_FromDouble(numbers[i]) : PyUnicode_InternFromString(names[i - 3]))) return -1;
    for (int i = 0; i < 4; i++) if (!(*made++ = PyType_FromModuleAndSpec(module, types[i], NULL)) || PyModule_AddType(module, (PyTypeObject *)made[-1])) return -1;
    return 0; }
static int module_traverse(PyObject *self, visitproc visit, void *arg) { LOOP(module_of(self)->zero, module_of(self)->introduced, Py_VISIT); return 0; }
static int module_clear(PyObject *self) { LOOP(module_of(self)->zero, module_of(self)->introduced, Py_CLEAR); module_of(self)->value = NULL; return 0; }
static void module_free(void *self) { module_clear(self); }
#define FAST(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}
static PyMethodDef functions[] = {FAST(node), FAST(adjoints), FAST(older), {"untracked", untracked, METH_O, NULL}, {"reset", reset, METH_O, NULL}, {"schedule", schedule, METH_O, NULL}, {"count_consumers", count_consumers, METH_O, NULL},
    {"add_contributions", add_contributions, METH_O, NULL}, {"order", order, METH_O, NULL}, {"introduce", introduce, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030D0000 /* sub-interpreters are supported, but not a lock for each: the default */
    {Py_mod_gil, Py_MOD_GIL_USED}, /* a build without this lock turns it on */
#endif
    {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_speed", "The accelerator of tinygraph.engine.", sizeof(Module), functions, module_slots, module_traverse, module_clear, module_free};
PyMODINIT_FUNC PyInit__speed(void) { return PyModuleDef_Init(&definition); }
