using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// To an owner in the same process, through the same bytes and the same handler as between processes: every request is a connection of its own, on a thread of its
/// own.
/// </summary>
/// <param name="context">Of the run's parameters.</param>
/// <param name="owner">Handles a connection to its end, as the one that the owner gives to a peer network.</param>
public sealed class LocalRefreshChannel(CkksContext context, Action<PeerConnection> owner) : IRefreshChannel
{
    private readonly CancellationTokenSource _closed = new();

    /// <inheritdoc/>
    public Task<IReadOnlyList<Ciphertext>> Ask(RefreshRequest request, IReadOnlyList<Ciphertext> ciphertexts, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, this);
        var pending = new PendingRefresh(0, request, request.Frame(0, context, ciphertexts));
        pending.CancelWith(cancel);
        pending.CancelWith(_closed.Token);
        new Thread(() => Exchange(pending)) { IsBackground = true, Name = $"refresh {request.Key.Site}" }.Start();
        return pending.Answer;
    }

    /// <inheritdoc/>
    public void Dispose() => _closed.Cancel();

    private void Exchange(PendingRefresh pending)
    {
        try
        {
            using var conversation = new Conversation(pending.Frame);
            owner(new PeerConnection(conversation, "local", "local"));
            var said = conversation.Said;
            pending.Complete(PeerHeaders.Read<RefreshProtocol.Answer>(said) is { } answer
                ? pending.Request.Read(said, answer, context)
                : throw new IOException($"The data owner did not answer {pending.Request.Key}."));
        }
        catch (Exception e)
        {
            pending.Fail(e);
        }
    }

    /// <summary>What is said, and then nothing more; what is answered is kept.</summary>
    private sealed class Conversation(byte[] question) : MemoryStream(question, writable: false)
    {
        private readonly MemoryStream _answer = new();

        /// <summary>All that was answered, from its beginning.</summary>
        public Stream Said => new MemoryStream(_answer.GetBuffer(), 0, (int)_answer.Length);

        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count) => _answer.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => _answer.Write(buffer);
    }
}
