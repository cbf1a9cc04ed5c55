using System.Collections.Concurrent;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Tests.Refresh;

/// <summary>Keeps what is asked until the test answers it.</summary>
internal sealed class ScriptedChannel : IRefreshChannel
{
    public BlockingCollection<Asked> Requests { get; } = [];

    public Task<IReadOnlyList<Ciphertext>> Ask(RefreshRequest request, IReadOnlyList<Ciphertext> ciphertexts, CancellationToken cancel)
    {
        var asked = new Asked(request, [.. ciphertexts], new TaskCompletionSource<IReadOnlyList<Ciphertext>>());
        cancel.Register(() => asked.Answer.TrySetCanceled(cancel));
        Requests.Add(asked);
        return asked.Answer.Task;
    }

    public Asked Next() => Requests.TryTake(out var asked, OwnerSide.Patience) ? asked : throw new TimeoutException("Nothing was asked.");

    public void Dispose() => Requests.Dispose();

    public sealed record Asked(RefreshRequest Request, IReadOnlyList<Ciphertext> Ciphertexts, TaskCompletionSource<IReadOnlyList<Ciphertext>> Answer);
}
