using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Actors.Encrypted.Serving;

/// <summary>
/// Bootstraps for stages elsewhere: holds evaluation keys, no weights and no secret, and keeps nothing of a request, so it may come and go. What it answers is, bit for bit, what the stage would have
/// computed. One request at a time, with all threads of the context.
/// </summary>
public sealed class BootstrapHelper : IRefreshDesk, IDisposable
{
    /// <summary>Requests that wait; while there are as many, connections are not read on.</summary>
    private const int MaxQueued = 4;

    private readonly BootstrapRefresher _refresher;
    private readonly Action<RefreshProtocol.Request, double> _done;
    private readonly TimeProvider _time;
    private readonly RefreshQueue _queue;

    /// <param name="context">Not owned.</param>
    /// <param name="refresher">Of this context, with bounds that requests declare.</param>
    /// <param name="done">Told of every request that was answered and the seconds that it took.</param>
    /// <param name="time">Measures them.</param>
    public BootstrapHelper(CkksContext context, BootstrapRefresher refresher, Action<RefreshProtocol.Request, double>? done = null, TimeProvider? time = null)
    {
        (Context, _refresher, _done, _time) = (context, refresher, done ?? ((_, _) => { }), time ?? TimeProvider.System);
        _queue = new RefreshQueue(1, MaxQueued, "bootstraps for others", Serve);
    }

    /// <inheritdoc/>
    public CkksContext Context { get; }

    /// <summary>Ends after the request under way; those that wait are dropped, and their connections closed.</summary>
    public void Dispose() => _queue.Dispose();

    string? IRefreshDesk.Objection(RefreshProtocol.Request request) =>
        !request.IsOf(Context.Parameters) ? $"the helper's parameters are {Context.Parameters.Name}, the stage computes with others"
        : request.Kind != RefreshProtocol.Question.Refresh ? "a helper bootstraps, and can look at nothing"
        : request.Level > _refresher.MaxLevel ? $"bootstrapping lifts to level {_refresher.MaxLevel} at most, asked for was {request.Level}"
        : null;

    void IRefreshDesk.Reject(RefreshProtocol.Request request, string reason, RefreshConnection connection) =>
        connection.Post(RefreshProtocol.Frame(RefreshProtocol.Answer.Rejected(request.Number, reason), Context, []));

    void IRefreshDesk.Accept(RefreshProtocol.Request request, IReadOnlyList<Ciphertext> ciphertexts, byte[] content, RefreshConnection connection) =>
        _queue.Add(new RefreshJob(request, ciphertexts, connection));

    private void Serve(RefreshJob job)
    {
        var start = _time.GetTimestamp();
        IReadOnlyList<Ciphertext> lifted = [];
        try
        {
            lifted = _refresher.Refresh(job.Ciphertexts, job.Request.Level, job.Request.Key.Site);
            job.Answer(RefreshProtocol.Frame(new RefreshProtocol.Answer(RefreshProtocol.Reply.Refreshed, job.Request.Number, lifted.Count, lifted.Sum(WireSize.Of), ""), Context, lifted));
            _done(job.Request, _time.GetElapsedTime(start).TotalSeconds);
        }
        catch (Exception e) when (e is MisuseException or MissingKeyException)
        {
            job.Answer(RefreshProtocol.Frame(RefreshProtocol.Answer.Rejected(job.Request.Number, e.Message), Context, []));
        }
        catch (Exception)
        {
            // No memory, most likely: the stage does it itself.
            job.Drop();
        }
        finally
        {
            foreach (var ciphertext in lifted)
            {
                ciphertext.Dispose();
            }
        }
    }
}
