package io.peftj.djl.engine;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Index;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A kernel's arguments as libtorch takes them: buffers, indices, lists of buffers, whole numbers, doubles and lists of them, booleans, values of
 * libtorch's, and null for a tensor left out. What is made for one call is closed with it.
 */
final class Arguments implements AutoCloseable {
    private final IValue[] values;
    private final List<IValue> made = new ArrayList<>();

    private Arguments(int count) {
        this.values = new IValue[count];
    }

    /**
     * Turns them into libtorch's.
     *
     * @param none what stands for a tensor left out
     */
    static Arguments of(String kernel, IValue none, @Nullable Object[] arguments) {
        Arguments all = new Arguments(arguments.length);
        try {
            for (int i = 0; i < arguments.length; i++) {
                Object argument = arguments[i];
                all.values[i] = argument == null ? none : all.value(kernel, argument);
            }
            return all;
        } catch (RuntimeException e) {
            all.close();
            throw e;
        }
    }

    IValue[] values() {
        return values;
    }

    private IValue value(String kernel, Object argument) {
        if (argument instanceof Buffer buffer) {
            return TorchBuffer.of(buffer).value();
        }
        if (argument instanceof Index index) {
            return TorchBuffer.of(index.buffer()).value();
        }
        if (argument instanceof IValue given) {
            return given;
        }
        IValue value = fresh(kernel, argument);
        made.add(value);
        return value;
    }

    private static IValue fresh(String kernel, Object argument) {
        if (argument instanceof Integer number) {
            return IValue.from((long) number);
        }
        if (argument instanceof Long number) {
            return IValue.from((long) number);
        }
        if (argument instanceof Double number) {
            return IValue.from((double) number);
        }
        if (argument instanceof Boolean flag) {
            return IValue.from((boolean) flag);
        }
        if (argument instanceof long[] numbers) {
            return IValue.listFrom(numbers);
        }
        if (argument instanceof double[] numbers) {
            return IValue.listFrom(numbers);
        }
        if (argument instanceof List<?> buffers) {
            return list(buffers);
        }
        throw unknown(kernel, argument);
    }

    private static IValue list(List<?> buffers) {
        if (buffers.isEmpty()) {
            return IValue.listFrom(new PtNDArray[0]);
        }
        IValue[] values = new IValue[buffers.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = TorchBuffer.of((Buffer) Objects.requireNonNull(buffers.get(i)))
                    .value();
        }
        return IValue.listFrom(values);
    }

    /** What is thrown for an argument of a kind that no kernel has. */
    static IllegalArgumentException unknown(String kernel, Object argument) {
        return new IllegalArgumentException(
                kernel + ": an argument of " + argument.getClass() + " means nothing to libtorch");
    }

    /** Whether a call with them can be put off: not if one is a value of libtorch's, which its owner may close. */
    static boolean canWait(@Nullable Object[] arguments) {
        for (Object argument : arguments) {
            if (argument instanceof IValue) {
                return false;
            }
        }
        return true;
    }

    /**
     * Looks at the buffers among them, and uploads indices.
     *
     * @throws IllegalStateException if one was freed
     */
    static void checkAlive(String kernel, @Nullable Object[] arguments) {
        for (Object argument : arguments) {
            checkAlive(kernel, argument);
        }
    }

    private static void checkAlive(String kernel, @Nullable Object argument) {
        // What is most frequent first; whether something is a List is slow to find out.
        if (argument instanceof Buffer buffer) {
            if (!buffer.isAlive()) {
                throw new IllegalStateException(kernel + ": the buffer " + buffer + " was freed");
            }
        } else if (argument instanceof Index index) {
            checkAlive(kernel, index.buffer());
        } else if (argument instanceof List<?> buffers) {
            buffers.forEach(buffer -> checkAlive(kernel, buffer));
        }
    }

    /** In words, for messages. */
    static String describe(@Nullable Object[] arguments) {
        return Arrays.stream(arguments)
                .map(argument -> argument instanceof long[] numbers ? Arrays.toString(numbers) : "" + argument)
                .collect(Collectors.joining(", "));
    }

    @Override
    public void close() {
        made.forEach(IValue::close);
        made.clear();
    }
}
