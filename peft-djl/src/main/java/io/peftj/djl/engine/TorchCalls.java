package io.peftj.djl.engine;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.peftj.core.PeftException;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Deferral;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls kernels: turns Java's arguments into libtorch's, owns the results, and says what failed on what.
 *
 * <p>Arguments are buffers, indices, lists of buffers, whole numbers and lists of them, doubles, booleans, values of libtorch's, and null for a
 * tensor left out. What is made for one call is closed with it.
 */
final class TorchCalls {
    private static final Logger LOGGER = LoggerFactory.getLogger(TorchCalls.class);

    /** Where each thread's calls are put off; a thread works for one backend. */
    private static final ThreadLocal<@Nullable Recording> RECORDINGS = new ThreadLocal<>();

    private final Script script;
    private final MemoryMeter memory;
    private final IValue none;
    private final Programs programs;
    private final SpareMemory spare = new SpareMemory();
    private volatile boolean open = true;
    private volatile @Nullable KernelProfile profile;

    TorchCalls(Script script, Programs programs, MemoryMeter memory) {
        this.script = script;
        this.programs = programs;
        this.memory = memory;
        this.none = script.call("none");
    }

    /** Puts this thread's calls off from now on, until what this returns is closed; not while a profile counts each. */
    Deferral defer() {
        if (RECORDINGS.get() != null || profile != null) {
            return Deferral.NONE;
        }
        Recording recording = new Recording(this, programs);
        RECORDINGS.set(recording);
        return recording;
    }

    /** Ends a recording of this thread. */
    void leave(Recording recording) {
        if (RECORDINGS.get() == recording) {
            RECORDINGS.remove();
        }
    }

    /** A result with storage of its own, from a kernel that leaves it row-major without gaps. */
    TorchBuffer one(String kernel, Form form, @Nullable Object... arguments) {
        return result(kernel, form, Strides.contiguous(form.shape()), arguments);
    }

    /** A result with storage of its own, from a kernel that lays it out like its arguments: row-major without gaps if they are row-major. */
    TorchBuffer alike(String kernel, Form form, @Nullable Object... arguments) {
        return result(kernel, form, areRowMajor(arguments) ? Strides.contiguous(form.shape()) : null, arguments);
    }

    private TorchBuffer result(String kernel, Form form, long @Nullable [] strides, @Nullable Object[] arguments) {
        Recording recording = recording(arguments);
        if (recording == null) {
            return own(run(kernel, arguments), form, strides);
        }
        checkOpen(kernel);
        spare.count(form.bytes());
        return add(recording, kernel, arguments, new TorchBuffer(memory, recording, form, strides))[0];
    }

    /** Results with storage of their own, from a kernel that returns a tuple or list and leaves them row-major without gaps. */
    TorchBuffer[] several(String kernel, List<Form> forms, @Nullable Object... arguments) {
        return parts(kernel, forms.stream().map(Part::own).toList(), arguments);
    }

    /**
     * One of several results.
     *
     * @param strides how far apart its neighbours lie
     * @param viewed which of the results before it this one is a view of; −1 for one with storage of its own
     * @param offset where a view begins in that storage, in elements
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on as it came
    record Part(Form form, long[] strides, int viewed, long offset) {
        static Part own(Form form) {
            return own(form, Strides.contiguous(form.shape()));
        }

        static Part own(Form form, long[] strides) {
            return new Part(form, strides, -1, 0);
        }
    }

    /** Results of a kernel that returns a tuple or list. */
    TorchBuffer[] parts(String kernel, List<Part> parts, @Nullable Object... arguments) {
        TorchBuffer[] results = new TorchBuffer[parts.size()];
        Recording recording = recording(arguments);
        IValue[] values = recording == null ? tuple(kernel, arguments) : null;
        for (int i = 0; i < results.length; i++) {
            Part part = parts.get(i);
            TorchBuffer viewed = part.viewed() < 0 ? null : results[part.viewed()];
            if (values != null) {
                results[i] = viewed == null
                        ? own(values[i], part.form(), part.strides())
                        : viewOf(viewed, values[i], part.form(), part.strides(), part.offset());
            } else {
                results[i] = putOff(Objects.requireNonNull(recording), viewed, part);
            }
        }
        return recording == null ? results : add(recording, kernel, arguments, results);
    }

    /** A view of x, {@code offset} elements from the first of x's storage. */
    TorchBuffer view(
            String kernel, TorchBuffer x, Form form, long[] strides, long offset, @Nullable Object... arguments) {
        Recording recording = recording(arguments);
        if (recording == null) {
            return viewOf(x, run(kernel, arguments), form, strides, offset);
        }
        return add(recording, kernel, arguments, putOff(recording, x, new Part(form, strides, 0, offset)))[0];
    }

    /** A kernel that writes to its arguments and has no result that matters. */
    void effect(String kernel, @Nullable Object... arguments) {
        Recording recording = recording(arguments);
        if (recording == null) {
            run(kernel, arguments).close();
        } else {
            recording.add(kernel, arguments);
        }
    }

    /** Where this thread's calls are put off, if they are and such arguments can be. */
    private @Nullable Recording recording(@Nullable Object[] arguments) {
        Recording recording = RECORDINGS.get();
        if (recording != null) {
            for (Object argument : arguments) {
                if (argument instanceof IValue) {
                    return null;
                }
            }
        }
        return recording;
    }

    private TorchBuffer putOff(Recording recording, @Nullable TorchBuffer viewed, Part part) {
        checkOpen("a kernel");
        if (viewed != null) {
            return new TorchBuffer(
                    (TorchBuffer) viewed.storage(), recording, part.form(), part.strides(), part.offset());
        }
        spare.count(part.form().bytes());
        return new TorchBuffer(memory, recording, part.form(), part.strides());
    }

    private static TorchBuffer[] add(
            Recording recording, String kernel, @Nullable Object[] arguments, TorchBuffer... results) {
        try {
            recording.add(kernel, arguments, results);
            return results;
        } catch (RuntimeException e) {
            for (TorchBuffer result : results) {
                result.release();
            }
            throw e;
        }
    }

    /** Makes a call that was put off. */
    void compute(Recording.Call call) {
        // Whether arguments are alive was looked at when the call was put off; their owners may have let go since.
        IValue result = callNow(call.kernel(), call.arguments());
        TorchBuffer[] results = call.results();
        if (results.length == 1) {
            give(results[0], result);
            return;
        }
        try (result) {
            if (results.length > 1) {
                IValue[] parts = elements(result);
                for (int i = 0; i < results.length; i++) {
                    give(results[i], parts[i]);
                }
            }
        }
    }

    /** Calls what was compiled of several calls; null if it failed. */
    IValue @Nullable [] program(Script program, IValue[] values) {
        try (IValue result = program.call("run", values)) {
            return result.toIValueArray();
        } catch (RuntimeException e) {
            LOGGER.debug("several kernels in one call failed; calling them one by one", e);
            return null;
        }
    }

    /** Hands a buffer what was computed for it. */
    void give(TorchBuffer buffer, IValue value) {
        assert isAsSaid(value, buffer.form(), buffer.knownStrides());
        buffer.compute(value);
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
            return elements(result);
        }
    }

    private static IValue[] elements(IValue result) {
        return result.isTuple() ? result.toIValueTuple() : result.toIValueArray();
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
        Recording recording = RECORDINGS.get();
        if (recording != null) {
            recording.catchUp(); // what it reads may have been written by calls before it
        }
        for (Object argument : arguments) {
            checkAlive(kernel, argument);
        }
        return callNow(kernel, arguments);
    }

    private void checkOpen(String kernel) {
        if (!open) {
            throw new IllegalStateException(kernel + ": the backend is closed");
        }
    }

    private IValue callNow(String kernel, @Nullable Object[] arguments) {
        checkOpen(kernel);
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

    /** Refuses buffers that were freed. */
    static void checkAlive(String kernel, @Nullable Object argument) {
        if (argument instanceof List<?> buffers) {
            buffers.forEach(buffer -> checkAlive(kernel, buffer));
        } else if (argument instanceof Index index) {
            checkAlive(kernel, index.buffer());
        } else if (argument instanceof Buffer buffer && !buffer.isAlive()) {
            throw new IllegalStateException(kernel + ": the buffer " + buffer + " was freed");
        }
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
            return list(buffers);
        }
        throw new IllegalArgumentException(
                kernel + ": an argument of " + argument.getClass() + " means nothing to libtorch");
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

    private static boolean areRowMajor(@Nullable Object[] arguments) {
        for (Object argument : arguments) {
            if (argument instanceof TorchBuffer buffer && !buffer.isKnownRowMajor()) {
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
