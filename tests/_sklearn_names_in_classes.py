"""The private names of scikit-learn that our estimators inherit or show pages with."""

from _sklearn_name import Tiny, case

# Callbacks


class Listener:
    """A callback that notes what it hears."""

    def __init__(self):
        self.heard = []

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.heard.append("begin")

    def on_fit_task_end(self, estimator, context):
        self.heard.append("end")


def heard_estimator():
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    class Heard(CallbackSupportMixin, Tiny):
        @with_callbacks
        def fit(self):
            context = self._init_callback_context(max_subtasks=2)
            context.call_on_fit_task_begin(estimator=self)
            context.subcontext(task_name="epoch").call_on_fit_task_end(estimator=self)
            context.call_on_fit_task_end(estimator=self)
            return self

    return Heard()


@case(
    "callback.CallbackSupportMixin._init_callback_context",
    "setting up scikit-learn's callbacks for a fit",
    "look up in sklearn/linear_model/_logistic.py how `fit` gets the context of its "
    "callbacks; until then let `begin_callbacks` return one whose methods do nothing",
)
def check_init_context(_init):
    listener = Listener()
    heard_estimator().set_callbacks(listener).fit()
    assert listener.heard == ["setup", "begin", "end", "end", "teardown"]


@case(
    "callback.CallbackSupportMixin.set_callbacks",
    "knowing by `_skl_callbacks`, which it sets, whether anybody listens to a fit",
    "let `has_callbacks` return True: then every epoch makes a context, which costs "
    "microseconds",
)
def check_has_callbacks(_set):
    estimator, listener = heard_estimator(), Listener()
    assert not hasattr(estimator, "_skl_callbacks")
    assert estimator.set_callbacks(listener)._skl_callbacks == [listener]
    assert not hasattr(estimator.set_callbacks(), "_skl_callbacks")


# The HTML of notebooks

OF_HTML = (
    "drop `_get_fitted_attr_html` and `_sk_visual_block_` of "
    "_estimators/description/network.py, and see that a page still doesn't read "
    "`model_`, which would load Keras; otherwise find what takes the place of it"
)


@case(
    "utils._repr_html.fitted_attributes.AttrsDict",
    "the tables of a network and of what it has learnt",
    OF_HTML,
)
def check_attributes(attributes):
    rows = {"n_iter_": {"type_name": "int", "value": 3}}
    table = attributes(fitted_attrs=rows, estimator_class=Tiny, doc_link="")
    assert "n_iter_" in table._html_repr()


@case(
    "utils._repr_html.estimator._VisualBlock",
    "the line below the name of a network, which tells its layers",
    OF_HTML,
)
def check_block(block):
    class Boxed(Tiny):
        def _sk_visual_block_(self):
            given = {"names": "Boxed", "name_details": "", "name_caption": "2 layers"}
            return block("single", self, **given)

    assert "2 layers</div>" in Boxed()._repr_html_()


@case(
    "base.BaseEstimator._get_fitted_attr_html",
    "showing what is learnt without reading every attribute",
    OF_HTML,
)
def check_fitted_attributes(_method):
    class Learnt(Tiny):
        n_iter_ = 3

        def _get_fitted_attr_html(self, doc_link=""):
            found = super()._get_fitted_attr_html(doc_link)
            del found["n_iter_"]
            return found

        def fit(self):
            return self

        def __sklearn_is_fitted__(self):
            return True

    assert "n_iter_" not in Learnt()._repr_html_()


@case(
    "base.BaseEstimator._get_doc_link",
    "the link from a box to the page of the estimator",
    "find what scikit-learn's mixin for links reads in place of `_doc_link_module`, "
    "`_doc_link_template` and `_doc_link_url_param_generator` of AdvisedEstimator",
)
def check_link(_method):
    class Linked(Tiny):
        _doc_link_module = __name__.partition(".")[0]
        _doc_link_template = "{address}"

        def _doc_link_url_param_generator(self):
            return {"address": "https://docs.example"}

    assert Linked()._get_doc_link() == "https://docs.example"
