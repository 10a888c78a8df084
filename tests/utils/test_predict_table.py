"""A column an AU, whatever a classifier gives."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.tree import DecisionTreeClassifier

from skau.model_selection import SubjectKFold, cross_val_predict
from skau.utils import predict_table
from skau.utils._labels import present_proba

X = np.random.RandomState(0).randn(40, 3)
Y = (X[:, :2] > 0.2).astype(int)


def test_several_outputs_of_scikit_learn():
    clf = MultiOutputClassifier(LogisticRegression()).fit(X, Y)
    table = predict_table(clf, pd.DataFrame(X).rename(index=str))
    assert table.columns.tolist() == ["y0", "y1"]
    assert table.index[-1] == "39"
    np.testing.assert_allclose(table, np.stack([p[:, 1] for p in clf.predict_proba(X)], 1))
    chain = ClassifierChain(LogisticRegression()).fit(X, Y)  # an array, of two columns as well
    np.testing.assert_array_equal(predict_table(chain, X), chain.predict_proba(X))


def test_a_classifier_of_one_output():
    clf = LogisticRegression().fit(X, Y[:, 0])
    table = predict_table(clf, X)
    assert table.columns.tolist() == ["y0"]
    np.testing.assert_array_equal(table["y0"], clf.predict_proba(X)[:, 1])


def test_one_class_was_seen():
    """scikit-learn gives its probability, 1, in a column alone."""
    for label in (0, 1):
        clf = DecisionTreeClassifier().fit(X, np.full(40, label))
        assert (predict_table(clf, X) == label).all(axis=None)
        several = np.stack([np.full(40, label), Y[:, 0]], axis=1)
        table = predict_table(DecisionTreeClassifier().fit(X, several), X)
        np.testing.assert_array_equal(table, several)


def test_more_than_two_classes_are_refused():
    intensities = np.stack([np.arange(40) % 4, Y[:, 0]], axis=1)
    for y in (intensities, intensities[:, 0]):
        clf = DecisionTreeClassifier(max_depth=2).fit(X, y)
        with pytest.raises(ValueError, match="predicts 4 classes of one output; an AU has two"):
            predict_table(clf, X)
    clf, groups = DecisionTreeClassifier(max_depth=2), np.repeat(np.arange(10), 4)
    with pytest.raises(ValueError, match="predicts 4 classes of one output; an AU has two"):
        cross_val_predict(clf, X, intensities, groups=groups, cv=SubjectKFold(2))


@pytest.mark.filterwarnings("ignore:divide by zero encountered in log")
def test_an_au_that_a_training_part_never_shows_is_absent_there():
    once = Y.copy()
    once[20:, 0] = 0
    folds = [(np.arange(20), np.arange(20, 40)), (np.arange(20, 40), np.arange(20))]
    clf = DecisionTreeClassifier(random_state=0)
    proba = cross_val_predict(clf, X, once, cv=folds)
    assert (proba[:20, 0] == 0).all()
    assert proba[20:, 0].any()
    logs = cross_val_predict(clf, X, once, cv=folds, method="predict_log_proba")
    np.testing.assert_array_equal(np.exp(logs), proba)
    with pytest.raises(ValueError, match="fold 2 has the classes 0, that of fold 1 0, 1; choose"):
        cross_val_predict(clf, X, once[:, 0], cv=folds)


def test_a_lone_column_of_unknown_class_is_refused():
    with pytest.raises(ValueError, match="has no classes_ that say which it is"):
        present_proba([np.ones((2, 1)), np.ones((2, 2)) / 2], False)
    np.testing.assert_array_equal(present_proba(np.ones((2, 1)), True), np.ones((2, 1)))


def test_rows_of_sparse_vectors():
    for make in (csr_matrix, coo_matrix):
        clf = DecisionTreeClassifier(random_state=0).fit(X, Y[:, 0])
        np.testing.assert_array_equal(predict_table(clf, make(X))["y0"], Y[:, 0])


def test_the_larger_of_two_labels_is_present():
    words = [np.array(["no", "yes"])] * 2
    given = [np.array([[0.9, 0.1]]), np.array([[0.4, 0.6]])]
    np.testing.assert_array_equal(present_proba(given, False, words), [[0.1, 0.6]])
