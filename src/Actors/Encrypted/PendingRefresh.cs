using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>A request that was not answered yet. It ends once: answered, failed or given up; ciphertexts that come too late are disposed.</summary>
internal sealed class PendingRefresh(long number, RefreshRequest request, byte[] frame)
{
    private readonly TaskCompletionSource<IReadOnlyList<Ciphertext>> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Number => number;

    public RefreshRequest Request => request;

    /// <summary>As it is sent, each time.</summary>
    public byte[] Frame => frame;

    /// <summary>The connection over which it was sent last; null: over none.</summary>
    public object? SentOver { get; set; }

    public Task<IReadOnlyList<Ciphertext>> Answer => _end.Task;

    /// <summary>Ends it when the token does.</summary>
    /// <param name="then">Called after it was ended so.</param>
    public void CancelWith(CancellationToken token, Action? then = null)
    {
        var registration = token.Register(() =>
        {
            _end.TrySetCanceled(token);
            then?.Invoke();
        });
        _end.Task.ContinueWith(_ => registration.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public void Complete(IReadOnlyList<Ciphertext> ciphertexts)
    {
        if (!_end.TrySetResult(ciphertexts))
        {
            foreach (var ciphertext in ciphertexts)
            {
                ciphertext.Dispose();
            }
        }
    }

    public void Fail(Exception e) => _end.TrySetException(e);
}
