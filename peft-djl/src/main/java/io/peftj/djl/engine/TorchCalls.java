package io.peftj.djl.engine;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.peftj.core.PeftException;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Calls kernels: turns Java's arguments into libtorch's, owns the results, and says what failed on what.
 *
 * <p>Arguments are buffers, indices, lists of buffers, whole numbers and lists of them, doubles, booleans, values of libtorch's, and null for a
 * tensor left out. What is made for one call is closed with it.
 */
final class TorchCalls {
    private final Script script;
    private final MemoryMeter memory;
    private final IValue none;
    private final SpareMemory spare = new SpareMemory();
    private volatile boolean open = true;
    private volatile @Nullable KernelProfile profile;

    TorchCalls(Script script, MemoryMeter memory) {
        this.script = script;
        this.memory = memory;
        this.none = script.call("none");
    }

    /** A result with storage of its own, from a kernel that leaves it row-major without gaps. */
    TorchBuffer one(String kernel, Form form, @Nullable Object... arguments) {
        return own(run(kernel, arguments), form, Strides.contiguous(form.shape()));
    }

    /** A result with storage of its own, from a kernel that lays it out like its arguments: row-major without gaps if all of them are. */
    TorchBuffer alike(String kernel, Form form, @Nullable Object... arguments) {
        IValue result = run(kernel, arguments);
        return own(result, form, areContiguous(arguments) ? Strides.contiguous(form.shape()) : null);
    }

    /** Results with storage of their own, from a kernel that returns a tuple and leaves them row-major without gaps. */
    TorchBuffer[] several(String kernel, List<Form> forms, @Nullable Object... arguments) {
        IValue[] parts = tuple(kernel, arguments);
        TorchBuffer[] results = new TorchBuffer[forms.size()];
        for (int i = 0; i < results.length; i++) {
            Form form = forms.get(i);
            results[i] = own(parts[i], form, Strides.contiguous(form.shape()));
        }
        return results;
    }

    /** A view of x, {@code offset} elements from the first of x's storage. */
    TorchBuffer view(
            String kernel, TorchBuffer x, Form form, long[] strides, long offset, @Nullable Object... arguments) {
        return viewOf(x, run(kernel, arguments), form, strides, offset);
    }

    /** Takes over a tensor with storage of its own; the strides may be unknown. */
    TorchBuffer own(IValue value, Form form, long @Nullable [] strides) {
        assert isAsSaid(value, form, strides);
        spare.count(form.bytes());
        return new TorchBuffer(memory, value, form, strides);
    }

    /** Takes over a view of a buffer's storage. */
    TorchBuffer viewOf(TorchBuffer x, IValue value, Form form, long[] strides, long offset) {
        assert isAsSaid(value, form, strides);
        return new TorchBuffer((TorchBuffer) x.storage(), value, form, strides, offset);
    }

    /** A result that is a number. */
    double number(String kernel, @Nullable Object... arguments) {
        try (IValue result = run(kernel, arguments)) {
            return result.toDouble();
        }
    }

    /** Results of a kernel that returns a tuple, or a list if that is what it returns. */
    IValue[] tuple(String kernel, @Nullable Object... arguments) {
        try (IValue result = run(kernel, arguments)) {
            return result.isTuple() ? result.toIValueTuple() : result.toIValueArray();
        }
    }

    /** How far apart a buffer's neighbours along each axis lie; asks libtorch once where it is not known. */
    long[] strides(TorchBuffer x) {
        long[] strides = x.knownStrides();
        if (strides == null) {
            try (IValue result = run("strides", x)) {
                strides = result.toLongArray();
            }
            x.learnStrides(strides);
        }
        return strides;
    }

    /**
     * Calls a kernel; the caller closes the result.
     *
     * @throws IllegalStateException if the backend is closed or a buffer freed
     * @throws PeftException naming the kernel and what it was called with if libtorch fails
     */
    IValue run(String kernel, @Nullable Object... arguments) {
        if (!open) {
            throw new IllegalStateException(kernel + ": the backend is closed");
        }
        IValue[] values = new IValue[arguments.length];
        List<IValue> made = new ArrayList<>();
        try {
            for (int i = 0; i < values.length; i++) {
                values[i] = value(kernel, arguments[i], made);
            }
            return call(kernel, values, arguments);
        } finally {
            for (IValue value : made) {
                value.close();
            }
        }
    }

    /** Counts what was loaded to stay. */
    void loaded(long bytes) {
        spare.loaded(bytes);
    }

    /** Gives spare memory back. */
    void trim() {
        spare.giveBack();
    }

    /** Refuses further calls. */
    void close() {
        open = false;
        none.close();
    }

    /** Counts calls from now on; null ends that. */
    void profile(@Nullable KernelProfile counting) {
        profile = counting;
    }

    private IValue call(String kernel, IValue[] values, @Nullable Object[] arguments) {
        KernelProfile counting = profile;
        try {
            if (counting == null) {
                return script.call(kernel, values);
            }
            long began = System.nanoTime();
            IValue result = script.call(kernel, values);
            counting.add(kernel, arguments, System.nanoTime() - began);
            return result;
        } catch (RuntimeException e) {
            throw new PeftException("the kernel " + kernel + " failed on " + describe(arguments) + ": " + reason(e), e);
        }
    }

    private IValue value(String kernel, @Nullable Object argument, List<IValue> made) {
        if (argument == null) {
            return none;
        }
        if (argument instanceof Buffer buffer) {
            return alive(kernel, TorchBuffer.of(buffer));
        }
        if (argument instanceof Index index) {
            return alive(kernel, TorchBuffer.of(index.buffer()));
        }
        if (argument instanceof IValue given) {
            return given;
        }
        IValue value = fresh(kernel, argument);
        made.add(value);
        return value;
    }

    private static IValue alive(String kernel, TorchBuffer buffer) {
        if (!buffer.isAlive()) {
            throw new IllegalStateException(kernel + ": the buffer " + buffer + " was freed");
        }
        return buffer.value();
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
        if (argument instanceof List<?> buffers) {
            return list(kernel, buffers);
        }
        throw new IllegalArgumentException(
                kernel + ": an argument of " + argument.getClass() + " means nothing to libtorch");
    }

    private static IValue list(String kernel, List<?> buffers) {
        if (buffers.isEmpty()) {
            return IValue.listFrom(new PtNDArray[0]);
        }
        IValue[] values = new IValue[buffers.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = alive(kernel, TorchBuffer.of((Buffer) Objects.requireNonNull(buffers.get(i))));
        }
        return IValue.listFrom(values);
    }

    private static boolean areContiguous(@Nullable Object[] arguments) {
        for (Object argument : arguments) {
            if (argument instanceof TorchBuffer buffer && !buffer.isKnownContiguous()) {
                return false;
            }
        }
        return true;
    }

    private static String describe(@Nullable Object[] arguments) {
        return Arrays.stream(arguments)
                .map(argument -> argument instanceof long[] numbers ? Arrays.toString(numbers) : "" + argument)
                .collect(Collectors.joining(", "));
    }

    /** What libtorch said, without the trace through the archive's text. */
    private static String reason(RuntimeException e) {
        String message = String.valueOf(e.getMessage());
        String mark = "RuntimeError: ";
        int at = message.lastIndexOf(mark);
        return (at < 0 ? message : message.substring(at + mark.length())).strip();
    }

    /** Whether libtorch's tensor is what Java takes it for; checked where assertions are on, as in tests. */
    private boolean isAsSaid(IValue value, Form form, long @Nullable [] strides) {
        try (IValue described = script.call("describe", value)) {
            IValue[] parts = described.toIValueTuple();
            Shape shape = Shape.of(Arrays.stream(parts[0].toLongArray())
                    .mapToInt(Math::toIntExact)
                    .toArray());
            long[] found = parts[1].toLongArray();
            long code = parts[2].toLong();
            Arrays.stream(parts).forEach(IValue::close);
            if (!shape.equals(form.shape())
                    || code != form.type().code()
                    || (strides != null && shape.size() > 0 && !Strides.same(shape, strides, found))) {
                throw new AssertionError("expected " + form + " with strides " + Arrays.toString(strides) + ", found "
                        + shape + " of format " + code + " with strides " + Arrays.toString(found));
            }
            return true;
        }
    }
}
