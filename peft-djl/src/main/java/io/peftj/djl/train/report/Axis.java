package io.peftj.djl.train.report;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;

/**
 * A range of values with ticks at round numbers.
 *
 * @param from the value at its beginning
 * @param to the value at its end
 * @param logarithmic whether equal ratios take equal room
 * @param ticks values to mark, rising
 * @param text how a value is written
 */
record Axis(double from, double to, boolean logarithmic, List<Double> ticks, DoubleFunction<String> text) {
    private static final double[] ROUND = {1, 2, 2.5, 5, 10};

    /** How many intervals between ticks are aimed at, upwards and to the right. */
    private static final int INTERVALS = 4;

    private static final int INTERVALS_OF_STEPS = 7;

    Axis {
        ticks = List.copyOf(ticks);
    }

    /** From one round number to another, around all values. */
    static Axis linear(double least, double greatest, DoubleFunction<String> text) {
        double low = least;
        double high = greatest;
        if (high - low < 1e-12 * Math.max(1e-300, Math.abs(high))) {
            double room = high == 0 ? 1 : Math.abs(high) / 2;
            low = Math.min(low, Math.max(high - room, low >= 0 ? 0 : Double.NEGATIVE_INFINITY));
            high += room;
        }
        double step = roundStep((high - low) / INTERVALS);
        long first = (long) Math.floor(low / step + 1e-9);
        long last = (long) Math.ceil(high / step - 1e-9);
        List<Double> ticks = new ArrayList<>();
        for (long tick = first; tick <= last; tick++) {
            ticks.add(tick * step);
        }
        return new Axis(first * step, last * step, false, ticks, text);
    }

    /** From 0 to a round number of units, such as bytes of a GiB. */
    static Axis ofUnits(double greatest, double unit, DoubleFunction<String> text) {
        Axis axis = linear(0, greatest / unit, text);
        List<Double> ticks = axis.ticks.stream().map(tick -> tick * unit).toList();
        return new Axis(0, axis.to * unit, false, ticks, text);
    }

    /** From one step to another; ticks at round numbers between. */
    static Axis steps(long first, long last, DoubleFunction<String> text) {
        if (first == last) {
            return new Axis(first - 1.0, last + 1.0, false, List.of((double) first), text);
        }
        long step = Math.max(1, (long) roundStep((last - first) / (double) INTERVALS_OF_STEPS));
        List<Double> ticks = new ArrayList<>();
        for (long tick = (first + step - 1) / step * step; tick <= last; tick += step) {
            ticks.add((double) tick);
        }
        return new Axis((double) first, (double) last, false, ticks, text);
    }

    /** From one power of ten to another, or a round part of one, around values above 0. */
    static Axis logarithmic(double least, double greatest, DoubleFunction<String> text) {
        int first = (int) Math.floor(Math.log10(least) + 1e-9);
        int last = (int) Math.ceil(Math.log10(greatest) - 1e-9);
        last = Math.max(last, first + 1);
        int stride = Math.max(1, (last - first + INTERVALS) / (INTERVALS + 1));
        List<Double> ticks = new ArrayList<>();
        for (int power = first; power <= last; power += stride) {
            ticks.add(Math.pow(10, power));
        }
        return new Axis(Math.pow(10, first), Math.pow(10, last), true, ticks, text);
    }

    private static double roundStep(double rough) {
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        for (double round : ROUND) {
            if (rough <= round * power * (1 + 1e-9)) {
                return round * power;
            }
        }
        return 10 * power;
    }

    /** Where a value lies: 0 at the beginning, 1 at the end. */
    double place(double value) {
        return logarithmic
                ? Math.log(Math.max(value, from) / from) / Math.log(to / from)
                : (value - from) / (to - from);
    }
}
