package io.peftj.examples.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers of options, checked where they are read. */
final class Numbers {
    private Numbers() {}

    /** 1, 2, … */
    static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return whole(text, 1);
        }
    }

    /** 0, 1, … */
    static final class CountOrNone implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return whole(text, 0);
        }
    }

    /** A number above 0. */
    static final class Positive implements ITypeConverter<Double> {
        @Override
        public Double convert(String text) {
            return number(text, Double.MIN_VALUE, "a number above 0");
        }
    }

    /** A number from 0. */
    static final class NotNegative implements ITypeConverter<Double> {
        @Override
        public Double convert(String text) {
            return number(text, 0, "a number of 0 or more");
        }
    }

    private static int whole(String text, int least) {
        String expected = "expected a whole number of at least " + least + ", found " + text;
        try {
            int value = Integer.parseInt(text);
            if (value >= least) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw (TypeConversionException) new TypeConversionException(expected).initCause(e);
        }
        throw new TypeConversionException(expected);
    }

    private static double number(String text, double least, String what) {
        String expected = "expected " + what + ", found " + text;
        try {
            double value = Double.parseDouble(text);
            if (value >= least && Double.isFinite(value)) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw (TypeConversionException) new TypeConversionException(expected).initCause(e);
        }
        throw new TypeConversionException(expected);
    }
}
