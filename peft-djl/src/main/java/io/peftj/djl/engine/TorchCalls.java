package io.peftj.djl.engine;

import ai.djl.pytorch.jni.IValue;
import io.peftj.core.PeftException;
import io.peftj.core.tensor.Deferral;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.core.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls kernels, at once or, in a {@link #defer stretch of calls that may be put off}, later: owns the results, and says what failed on what.
 *
 * <p>What can be an argument, {@link Arguments} says.
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

    // ---- results that are buffers, now or later ----

    /** A result with storage of its own, from a kernel that leaves it row-major without gaps. */
    TorchBuffer one(String kernel, Form form, @Nullable Object... arguments) {
        return make(kernel, arguments, stored(form, Strides.contiguous(form.shape())))[0];
    }

    /** A result with storage of its own, from a kernel that lays it out like its arguments: row-major without gaps if they are row-major. */
    TorchBuffer alike(String kernel, Form form, @Nullable Object... arguments) {
        boolean rowMajor = Arrays.stream(arguments)
                .allMatch(argument -> !(argument instanceof TorchBuffer buffer) || buffer.isKnownRowMajor());
        return make(kernel, arguments, stored(form, rowMajor ? Strides.contiguous(form.shape()) : null))[0];
    }

    /** A view of x, {@code offset} elements from the first of x's storage. */
    TorchBuffer view(
            String kernel, TorchBuffer x, Form form, long[] strides, long offset, @Nullable Object... arguments) {
        return make(kernel, arguments, new TorchBuffer(x, form, strides, offset))[0];
    }

    /** Results with storage of their own, from a kernel that returns a tuple or list and leaves them row-major without gaps. */
    TorchBuffer[] several(String kernel, List<Form> forms, @Nullable Object... arguments) {
        return parts(kernel, forms.stream().map(Part::own).toList(), arguments);
    }

    /** Results of a kernel that returns a tuple or list. */
    TorchBuffer[] parts(String kernel, List<Part> parts, @Nullable Object... arguments) {
        TorchBuffer[] results = new TorchBuffer[parts.size()];
        for (int i = 0; i < results.length; i++) {
            Part part = parts.get(i);
            results[i] = part.viewed() < 0
                    ? stored(part.form(), part.strides())
                    : new TorchBuffer(results[part.viewed()], part.form(), part.strides(), part.offset());
        }
        return make(kernel, arguments, results);
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

    /** Calls a kernel that writes to its arguments and has no result that matters. */
    void effect(String kernel, @Nullable Object... arguments) {
        make(kernel, arguments);
    }

    /** Takes over a tensor with storage of its own; the strides may be unknown. */
    TorchBuffer own(IValue value, Form form, long @Nullable [] strides) {
        TorchBuffer buffer = stored(form, strides);
        give(buffer, value);
        return buffer;
    }

    /** Takes over a tensor in a layout of libtorch's own, which only the kernels made for it can read. */
    TorchBuffer opaque(IValue value, Form form) {
        TorchBuffer buffer = stored(form, null);
        buffer.compute(value);
        return buffer;
    }

    private TorchBuffer stored(Form form, long @Nullable [] strides) {
        spare.count(form.bytes());
        return new TorchBuffer(memory, form, strides);
    }

    /** Computes buffers, or puts that off. */
    private TorchBuffer[] make(String kernel, @Nullable Object[] arguments, TorchBuffer... results) {
        try {
            Recording recording = RECORDINGS.get();
            if (recording != null && Arguments.canWait(arguments)) {
                checkOpen(kernel);
                recording.add(new PutOff(kernel, arguments, results));
            } else {
                give(results, run(kernel, arguments));
            }
            return results;
        } catch (RuntimeException e) {
            for (TorchBuffer result : results) {
                result.release();
            }
            throw e;
        }
    }

    /** Hands buffers what a kernel gave for them. */
    private void give(TorchBuffer[] buffers, IValue value) {
        if (buffers.length == 1) {
            give(buffers[0], value);
            return;
        }
        try (value) {
            if (buffers.length > 1) {
                IValue[] parts = elements(value);
                for (int i = 0; i < buffers.length; i++) {
                    give(buffers[i], parts[i]);
                }
            }
        }
    }

    private void give(TorchBuffer buffer, IValue value) {
        assert isAsSaid(value, buffer.form(), buffer.knownStrides());
        buffer.compute(value);
    }

    // ---- calls that are put off ----

    /**
     * A call for later and the buffers that wait for its results.
     *
     * @param results none, one, or one for each part of a tuple or list
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on as they came
    record PutOff(String kernel, @Nullable Object[] arguments, TorchBuffer[] results) {}

    /** Puts this thread's calls off from now on, until what this returns is closed; not while a profile counts each. */
    Deferral defer() {
        if (RECORDINGS.get() != null || profile != null) {
            return Deferral.NONE;
        }
        Recording recording = new Recording(this, programs);
        RECORDINGS.set(recording);
        return recording;
    }

    /** Ends this thread's recording. */
    void endRecording() {
        RECORDINGS.remove();
    }

    /** Makes a call that was put off. Its arguments were alive then; their owners may have let go since. */
    void compute(PutOff call) {
        give(call.results(), callNow(call.kernel(), call.arguments()));
    }

    /** Calls what was compiled of several calls; false if it failed. */
    boolean compute(Script program, Object[] arguments, List<TorchBuffer> results) {
        IValue[] parts;
        try (Arguments values = Arguments.of("run", none, arguments);
                IValue list = program.call("run", values.values())) {
            parts = list.toIValueArray();
        } catch (RuntimeException e) {
            LOGGER.debug("several kernels in one call failed; calling them one by one", e);
            return false;
        }
        for (int i = 0; i < parts.length; i++) {
            give(results.get(i), parts[i]);
        }
        return true;
    }

    // ---- results that are read at once ----

    /** A result that is a number. */
    double number(String kernel, @Nullable Object... arguments) {
        try (IValue result = run(kernel, arguments)) {
            return result.toDouble();
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
        Recording recording = RECORDINGS.get();
        if (recording != null) {
            recording.catchUp(); // what it reads may have been written by calls before it
        }
        Arguments.checkAlive(kernel, arguments);
        return callNow(kernel, arguments);
    }

    private IValue callNow(String kernel, @Nullable Object[] arguments) {
        checkOpen(kernel);
        try (Arguments values = Arguments.of(kernel, none, arguments)) {
            return call(kernel, values.values(), arguments);
        }
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
            throw new PeftException(
                    "the kernel " + kernel + " failed on " + Arguments.describe(arguments) + ": " + reason(e), e);
        }
    }

    private static IValue[] elements(IValue result) {
        return result.isTuple() ? result.toIValueTuple() : result.toIValueArray();
    }

    /** What libtorch said, without the trace through the archive's text. */
    private static String reason(RuntimeException e) {
        String message = String.valueOf(e.getMessage());
        String mark = "RuntimeError: ";
        int at = message.lastIndexOf(mark);
        return (at < 0 ? message : message.substring(at + mark.length())).strip();
    }

    // ---- the backend's own ----

    private void checkOpen(String kernel) {
        if (!open) {
            throw new IllegalStateException(kernel + ": the backend is closed");
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
