package io.peftj.benchmarks.compare;

import java.util.List;
import java.util.stream.Stream;

/** The words of a command line, to which more can be added. */
record Words(List<String> list) {
    /** Copies the list. */
    Words {
        list = List.copyOf(list);
    }

    /** These words. */
    static Words of(Object... words) {
        return new Words(Stream.of(words).map(String::valueOf).toList());
    }

    /** With more words behind them. */
    Words and(Object... more) {
        return and(of(more));
    }

    /** With others behind them. */
    Words and(Words others) {
        return new Words(Stream.concat(list.stream(), others.list.stream()).toList());
    }

    /** With an option that stands alone, where it is wanted. */
    Words andIf(boolean wanted, String option) {
        return wanted ? and(option) : this;
    }
}
