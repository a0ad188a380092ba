/* The floor: how fast a graph of Values can be recorded and differentiated if nothing but the arithmetic is done.

A node type, four operators, three functions and a backward pass in C, without anything else that tinygraph does: no
subclasses, names, scopes, comparisons, checks for edited leaves, interrupts, or other ops. `floor.py` compiles this
file when the benchmarks need it. It is not part of the package. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <math.h>

typedef struct Node {
    PyObject_HEAD
    double data, grad, x_partial, y_partial;
    struct Node *x, *y;              /* the operands that are nodes: borrowed from the two references below */
    PyObject *x_owned, *y_owned;
    int awaited;                     /* consumers that must still contribute to the gradient; 0 outside a pass */
    char reached;
} Node;

static PyTypeObject NodeType;
static Node *dead = NULL;            /* nodes that wait to be freed, linked by `x` */
static int freeing = 0;

static PyObject *made(double data, PyObject *left, Node *x, double x_partial, PyObject *right, Node *y, double y_partial) {
    Node *node = PyObject_New(Node, &NodeType);
    if (!node) return NULL;
    node->data = data; node->grad = 0; node->awaited = 0; node->reached = 0;
    node->x = x; node->y = y; node->x_partial = x_partial; node->y_partial = y_partial;
    Py_XINCREF(left); node->x_owned = left;
    Py_XINCREF(right); node->y_owned = right;
    return (PyObject *)node;
}

static void node_dealloc(PyObject *self) {   /* without recursion, for a chain of a million nodes */
    ((Node *)self)->x = dead; dead = (Node *)self;
    if (freeing) return;
    freeing = 1;
    while (dead) {
        Node *node = dead;
        dead = node->x;
        Py_XDECREF(node->x_owned); Py_XDECREF(node->y_owned);
        PyObject_Free(node);
    }
    freeing = 0;
}

static int number(PyObject *operand, double *value) {
    if (PyFloat_CheckExact(operand)) { *value = PyFloat_AS_DOUBLE(operand); return 1; }
    if (!PyLong_Check(operand)) return 0;
    *value = PyLong_AsDouble(operand);
    return 1;
}

#define BINARY(NAME, VALUE, X_PARTIAL, Y_PARTIAL) \
static PyObject *NAME(PyObject *left, PyObject *right) { \
    double a, b; Node *x = NULL, *y = NULL; \
    if (Py_IS_TYPE(left, &NodeType)) { x = (Node *)left; a = x->data; } \
    else if (!number(left, &a)) Py_RETURN_NOTIMPLEMENTED; \
    if (Py_IS_TYPE(right, &NodeType)) { y = (Node *)right; b = y->data; } \
    else if (!number(right, &b)) Py_RETURN_NOTIMPLEMENTED; \
    return made(VALUE, left, x, X_PARTIAL, right, y, Y_PARTIAL); }
BINARY(node_add, a + b, 1.0, 1.0)
BINARY(node_sub, a - b, 1.0, -1.0)
BINARY(node_mul, a * b, b, a)
BINARY(node_div, a / b, 1.0 / b, -(a / b) / b)

static PyObject *node_neg(PyObject *self) { return made(-((Node *)self)->data, self, (Node *)self, -1.0, NULL, NULL, 0); }
static PyObject *node_relu(PyObject *self, PyObject *unused) {
    double a = ((Node *)self)->data; (void)unused;
    return made(a > 0 ? a : 0.0, self, (Node *)self, a > 0, NULL, NULL, 0);
}
static double logistic(double z) { if (z >= 0) return 1 / (1 + exp(-z)); double e = exp(z); return e / (1 + e); }
static PyObject *sigmoid(PyObject *module, PyObject *z) {
    double a = logistic(((Node *)z)->data); (void)module;
    return made(a, z, (Node *)z, a * logistic(-((Node *)z)->data), NULL, NULL, 0);
}
static PyObject *cross_entropy(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    double a = ((Node *)args[0])->data, y = PyFloat_AsDouble(args[1]); (void)module; (void)count;
    return made(y ? -log(a) : -log1p(-a), args[0], (Node *)args[0], y ? -1 / a : 1 / (1 - a), args[1], NULL, 0);
}

#define PUSH(node) do { if (top == size) stack = realloc(stack, (size *= 2) * sizeof(Node *)); stack[top++] = (node); } while (0)
#define COUNT(to) if (to && to->awaited++ == 0) { to->grad = 0; PUSH(to); }
#define ADD(to, local) if (to) { to->grad += up * (local); to->reached = 1; if (--to->awaited == 0) PUSH(to); }
static PyObject *node_backward(PyObject *self, PyObject *unused) {   /* count the consumers, then Kahn's algorithm */
    Py_ssize_t size = 1024, top = 0; (void)unused;
    Node **stack = malloc(size * sizeof(Node *)), *node = (Node *)self;
    PUSH(node);
    while (top) { node = stack[--top]; COUNT(node->x) COUNT(node->y) }
    node = (Node *)self; node->grad = 1.0; node->reached = 1;
    PUSH(node);
    while (top) {
        node = stack[--top]; double up = node->grad;
        ADD(node->x, node->x_partial) ADD(node->y, node->y_partial)
    }
    free(stack);
    Py_RETURN_NONE;
}

static PyObject *node_new(PyTypeObject *type, PyObject *args, PyObject *options) {
    double data; (void)type; (void)options;
    return PyArg_ParseTuple(args, "d", &data) ? made(data, NULL, NULL, 0, NULL, NULL, 0) : NULL;
}
static PyObject *get_grad(PyObject *self, void *unused) {
    (void)unused;
    if (!((Node *)self)->reached) Py_RETURN_NONE;
    return PyFloat_FromDouble(((Node *)self)->grad);
}
static PyMemberDef members[] = {{"data", T_DOUBLE, offsetof(Node, data), READONLY, NULL}, {NULL, 0, 0, 0, NULL}};
static PyGetSetDef getset[] = {{"grad", get_grad, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};
static PyMethodDef methods[] = {{"backward", node_backward, METH_NOARGS, NULL}, {"relu", node_relu, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};
static PyNumberMethods operators = {.nb_add = node_add, .nb_subtract = node_sub, .nb_multiply = node_mul,
                                    .nb_true_divide = node_div, .nb_negative = node_neg};
static PyTypeObject NodeType = {
    PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "floor.Value", .tp_basicsize = sizeof(Node), .tp_dealloc = node_dealloc,
    .tp_as_number = &operators, .tp_flags = Py_TPFLAGS_DEFAULT, .tp_members = members, .tp_getset = getset,
    .tp_methods = methods, .tp_new = node_new};
static PyMethodDef functions[] = {{"sigmoid", sigmoid, METH_O, NULL},
                                  {"binary_cross_entropy", (PyCFunction)(void (*)(void))cross_entropy, METH_FASTCALL, NULL},
                                  {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "floor", NULL, -1, functions, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_floor(void) {
    if (PyType_Ready(&NodeType) < 0) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module) PyModule_AddObjectRef(module, "Value", (PyObject *)&NodeType);
    return module;
}
