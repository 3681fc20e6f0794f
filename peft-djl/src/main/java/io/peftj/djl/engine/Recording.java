package io.peftj.djl.engine;

import io.peftj.core.tensor.Deferral;
import io.peftj.djl.engine.TorchCalls.PutOff;
import java.util.List;

/**
 * Calls that one thread puts off, to make them together.
 *
 * <p>A call from Java costs libtorch's work some ten microseconds, of which a pass over few tokens makes hundreds.
 */
final class Recording implements Deferral {
    /** Fewer calls are not worth compiling. */
    private static final int FEWEST = 3;

    private final TorchCalls calls;
    private final Programs programs;
    private final Thread owner = Thread.currentThread();
    private CallList putOff = new CallList();

    Recording(TorchCalls calls, Programs programs) {
        this.calls = calls;
        this.programs = programs;
    }

    /** Puts a call off. */
    void add(PutOff call) {
        checkOwner();
        Arguments.checkAlive(call.kernel(), call.arguments()); // which also uploads indices, before anything is noted
        putOff.add(call);
        for (TorchBuffer result : call.results()) {
            result.waitFor(this);
        }
    }

    @Override
    public void catchUp() {
        checkOwner();
        if (putOff.calls().isEmpty()) {
            return;
        }
        CallList now = putOff;
        putOff = new CallList();
        try {
            if (!together(now)) {
                oneByOne(now);
            }
        } finally {
            now.forget();
        }
    }

    /** Whether the calls were compiled to one and it went well; if it did not, calls made one by one explain better. */
    private boolean together(CallList now) {
        if (now.calls().size() < FEWEST) {
            return false;
        }
        List<TorchBuffer> wanted = now.wanted();
        Script program = programs.of(now.text(wanted));
        return program != null && calls.compute(program, now.arguments(), wanted);
    }

    private void oneByOne(CallList now) {
        // Their owners let go of some results before they were there: those are freed behind their last use.
        List<List<TorchBuffer>> unowned = now.unownedByLastUse();
        try {
            for (int i = 0; i < now.calls().size(); i++) {
                calls.compute(now.calls().get(i));
                unowned.get(i).forEach(TorchBuffer::discard);
            }
        } catch (RuntimeException e) {
            unowned.forEach(buffers -> buffers.forEach(TorchBuffer::discard));
            throw e;
        }
    }

    @Override
    public void close() {
        checkOwner();
        putOff.forget();
        putOff = new CallList();
        calls.endRecording();
    }

    private void checkOwner() {
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException("what the thread " + owner.getName() + " put off was needed by "
                    + Thread.currentThread().getName());
        }
    }
}
