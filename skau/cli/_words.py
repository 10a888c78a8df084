"""Messages of the Python functions in the words of the shell."""

import re

# What a message says, and how somebody says it who has a command and a table, but no arguments.
_SHELL = [
    # what Python alone needs: the class of an error and its number, the row, who complains
    (r"(?<=: )[A-Za-z]+Error: |\[Errno -?\d+\] ", ""),
    (r"\brow \d+ \(([^()]+)\)", r"\1"),
    (r"(?<=\.part)/[0-9a-f]{32}(\.\w+)*(?=')", ""),
    (r"^((?:--\w+: )?)load_\w+: ", r"\1"),
    # arguments that are options
    (r"^(out|calibrate|reference|video)(?=: | needs )", r"--\1"),
    (r"^model(?= is | ends | predicts |: what )", "--model"),
    (r"(?<!\S)(out|overlay|faces|every|fps|person)=(?=\S)", r"--\1 "),
    (r"another random_state or a larger validation_fraction", "another --seed"),
    (r"or pass rest='train' to train on them in every fold", "or give --folds"),
    (r"\breference=\{(\d+): \[photo\], (\d+): \[photo\]\}",
     r"--reference \1=PHOTO --reference \2=PHOTO"),
    (r"\bleave calibrate out", "leave --calibrate out"),
    (r"say who is who: model", "say who is who, in Python: model"),
    (r"\bgive another file, or delete it", "give another file, or --force writes it anew"),
    # and those that are not
    (r"Scale it down, or raise PIL\.Image\.MAX_IMAGE_PIXELS if you trust it", "Scale it down"),
    (r"pass one as csv", "name one in place of the folder"),
    (r"Name the right one with (image|subject)=\.\.\.", r"Call the right one \1"),
    (r"They are intensities: pass threshold=, the", "They are intensities: give --threshold, the"),
    (r"\(pass a threshold (?=if these are int)", "(give --threshold "),
    (r"^threshold(?= must be )", "--threshold"),
    (r"^name(?=: no model is called )", "--trunk"),
    (r"; skau\.load reads a file of your own$", "; it takes no file"),
    (r" \(pass unknown=\[\] if it is one\)", ""),
    (r"If they hold labels, name all columns to read: aus=.*", "If they hold labels, call them "
     "AU1, AU2 and so on."),
    (r"rename one, or say which to read: aus=\{.*?\}", "rename one"),
    (r"Pass the one to use as \w+", "Leave one of them there"),
    (r" \(image_folder\)", ""),
    (r"Correct it, or pass other AUs as aus\.", "Correct it."),
    (r", but first_frame=1\. (If its images count from \d+), pass first_frame=\d+; the labels "
     r"count from 1", r". \1, add 1 to their numbers, as the labels count from 1; in Python, "
     "first_frame of load_bp4d and load_disfa takes them as they are"),
    (r"Take it out of folds, or add labelled rows of the subjects that it names",
     "Give --folds N to divide the people that are there, or add labels of those of the fold"),
    (r" \(validation_fraction=0 says so\)", ""),
    (r"^n_splits=(\d+), but only 1 of .* have a label in y: lower n_splits\.",
     r"\1 parts need \1 people with a label, and there is 1; label more people"),
    (r"^n_splits=(\d+), but only (\d+) of .* have a label in y: lower n_splits\.",
     r"\1 parts need \1 people with a label, and there are \2; give at most \2 parts, or label "
     "more people"),
    (r"^groups names one", "the training part of a fold holds one"),
    (r" in y; what is predicted", " in training; what is predicted"),
    (r"[;.] What helps: .*|; what helps: .*", "; another --seed may help"),
    (r"; a lower identity_lr .*", "; another --seed, or more people, may help"),
]  # fmt: skip


def plain(message: object) -> str:
    """Say a message of a Python function as the command would."""
    text = str(message)
    for pattern, words in _SHELL:
        text = re.sub(pattern, words, text, flags=re.DOTALL)
    return text
