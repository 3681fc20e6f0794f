package io.peftj.testkit.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class OwnershipTest extends ReferenceSession {
    @Test
    void resultsDieWithTheInnermostScope() {
        Tensor inner;
        try (Scope scope = session.scope()) {
            inner = vector(1, 2);
        }
        assertThat(backend.memory().liveBytes()).isZero();
        assertThatThrownBy(() -> inner.plus(inner))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("plus: the tensor Tensor[2] F64 was freed with its scope or its owner; keep it");
        assertThatThrownBy(inner::toDoubles)
                .hasMessage("toDoubles: the tensor Tensor[2] F64 was freed with its scope or its owner; keep it");
        assertThatThrownBy(inner::toHost)
                .hasMessage("toHost: the tensor Tensor[2] F64 was freed with its scope or its owner; keep it");
    }

    @Test
    void keptResultLivesInTheScopeAround() {
        Tensor kept;
        Tensor keptTwice;
        try (Scope outer = session.scope()) {
            try (Scope inner = session.scope()) {
                kept = inner.keep(vector(1));
                keptTwice = outer.keep(inner.keep(vector(2)));
                vector(3);
            }
            assertThat(backend.memory().liveBytes()).isEqualTo(16);
            assertThat(kept.plus(keptTwice).toDoubles()).containsExactly(3);
        }
        assertThat(keptTwice.toDoubles()).containsExactly(2);
        assertThat(backend.memory().liveBytes()).isEqualTo(8);
        assertThatThrownBy(kept::toDoubles).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void viewKeepsItsStorageAlive() {
        Tensor view;
        try (Scope scope = session.scope()) {
            view = scope.keep(vector(1, 2, 3).slice(0, 1, 3));
        }
        assertThat(view.toDoubles()).containsExactly(2, 3);
        assertThat(backend.memory().liveBytes()).isEqualTo(24);
    }

    @Test
    void aClosedScopeKeepsNothing() {
        Tensor x = vector(1);
        Scope scope = session.scope();
        scope.close();
        assertThatThrownBy(() -> scope.keep(x))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the scope is closed, or is the session's own");
    }

    @Test
    void scopesAreClosedInReverse() {
        Scope first = session.scope();
        Scope second = session.scope();
        assertThatThrownBy(first::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("scopes are closed in the reverse order of their opening");
        second.close();
        first.close();
    }

    @Test
    void closingTheSessionFreesOpenScopesAndTapes() {
        session.scope();
        session.startTape().leaf(vector(1)).exp();
        session.scope();
        vector(2);
        session.close();
        assertThat(backend.memory().liveBytes()).isZero();
        session.close();
    }

    @Test
    void aClosedSessionRefusesWork() {
        Tensor x = vector(1);
        session.close();
        assertThatThrownBy(x::exp).isInstanceOf(IllegalStateException.class).hasMessage("exp: the session is closed");
        assertThatThrownBy(() -> vector(1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("tensor: the session is closed");
        assertThatThrownBy(session::scope).hasMessage("scope: the session is closed");
        assertThatThrownBy(session::startTape).hasMessage("startTape: the session is closed");
    }

    @Test
    void anotherThreadIsRefused() throws InterruptedException {
        Tensor x = vector(1);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread other = new Thread(() -> thrown.set(catchThrowable(x::exp)), "other");
        other.start();
        other.join();
        assertThat(thrown.get())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("exp: the session belongs to thread "
                        + Thread.currentThread().getName() + ", not to other");
    }

    @Test
    void tensorsOfTwoSessionsDoNotMix() {
        try (Session other = Session.open(backend)) {
            Tensor x = vector(1);
            Tensor y = other.tensor(new double[] {1}, x.shape());
            assertThatThrownBy(() -> x.plus(y))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("plus: the tensors belong to different sessions");
        }
    }

    @Test
    void constantOutlivesSessionsUntilItIsClosed() {
        Constant constant = constant(4);
        try (Session other = Session.open(backend)) {
            assertThat(other.tensor(constant).exp().toDoubles()).containsExactly(Math.exp(4));
        }
        Tensor x = session.tensor(constant);
        constant.close();
        assertThatThrownBy(x::exp)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("exp: the tensor Tensor[1] F64 was freed with its scope or its owner; keep it");
    }

    @Test
    void indexIsUploadedOnceAndLivesAsLongAsTheSession() {
        Index index;
        Buffer first;
        try (Scope scope = session.scope()) {
            index = session.index(5, 6);
            first = index.buffer();
        }
        assertThat(index.buffer()).isSameAs(first);
        assertThat(backend.memory().liveBytes()).isEqualTo(16);
    }

    @Test
    void bufferCountsItsOwners() {
        Buffer buffer = backend.kernels().uploadIndex(new long[3]);
        buffer.retain();
        buffer.release();
        assertThat(backend.memory().liveBytes()).isEqualTo(24);
        buffer.release();
        assertThat(buffer.isAlive()).isFalse();
        assertThatThrownBy(buffer::retain)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a freed buffer was given a new owner");
        assertThatThrownBy(buffer::release)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a buffer was released more often than it had owners");
    }

    @Test
    void meterRemembersThePeak() {
        try (Scope scope = session.scope()) {
            vector(1, 2, 3);
        }
        vector(1);
        assertThat(backend.memory().peakBytes()).isEqualTo(24);
        backend.memory().resetPeak();
        assertThat(backend.memory().peakBytes()).isEqualTo(8);
    }

    @Test
    void interruptionCancels() {
        session.checkCancelled();
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(session::checkCancelled).isInstanceOf(CancellationException.class);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}
