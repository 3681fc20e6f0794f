package io.peftj.djl.chat.jinja;

import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic: whole numbers stay whole but for /, and // and % round down. */
final class Arithmetic {
    private Arithmetic() {}

    static Object binary(String operator, Object a, Object b) {
        if (operator.equals("+") && a instanceof String x && b instanceof String y) {
            return x + y;
        }
        if (operator.equals("+") && a instanceof List<?> x && b instanceof List<?> y) {
            List<Object> joined = new ArrayList<>(x);
            joined.addAll(y);
            return joined;
        }
        if (operator.equals("*") && a instanceof String x && b instanceof Long times) {
            return x.repeat(Math.toIntExact(Math.max(0, times)));
        }
        if (a instanceof Long x && b instanceof Long y) {
            return ofIntegers(operator, x, y);
        }
        if (Values.isNumber(a) && Values.isNumber(b)) {
            return ofNumbers(operator, Values.number(a), Values.number(b));
        }
        throw new TemplateFault(
                "the operator " + operator + " does not work on " + Values.describe(a) + " and " + Values.describe(b));
    }

    private static Object ofIntegers(String operator, long a, long b) {
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "//" -> Math.floorDiv(a, nonZero(b));
            case "%" -> Math.floorMod(a, nonZero(b));
            default -> (double) a / nonZero(b);
        };
    }

    private static long nonZero(long divisor) {
        if (divisor == 0) {
            throw new TemplateFault("a number is divided by 0");
        }
        return divisor;
    }

    private static Object ofNumbers(String operator, double a, double b) {
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - b * Math.floor(a / b);
            default -> a / b;
        };
    }
}
