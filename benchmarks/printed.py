"""What the benchmarks of quality print, and keep."""


def print_and_keep(lines, output):
    """Print lines as they come; write all of them to the file `output` if it is given.

    Parameters
    ----------
    lines : iterable of str
    output : pathlib.Path or None
    """
    printed = []
    for text in lines:
        print(text, flush=True)
        printed.append(text)
    if output:
        output.write_text("\n".join(printed) + "\n")
