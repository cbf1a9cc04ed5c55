using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>What the data owner may take of its machine.</summary>
/// <param name="Threads">Requests computed at a time, each on one thread.</param>
/// <param name="MaxQueued">Requests that wait for a thread; while there are as many, connections are not read on.</param>
public sealed record DataOwnerSettings(int Threads, int MaxQueued = 16);

/// <summary>
/// The data owner at work: decrypts what stages ask about, shows it to the observer, and answers with fresh encryptions. An accepted request is answered whatever its
/// slots are, so the answer tells nothing of them. Members may be called by several threads.
/// </summary>
public sealed class DataOwner : IRefreshDesk, IDisposable
{
    private readonly OwnerRefresh _refresh;
    private readonly Encryptor _encryptor;
    private readonly RefreshBook _book;
    private readonly IOwnerObserver? _observer;
    private readonly Action<OwnerProtocol.Served> _served;
    private readonly TimeProvider _time;
    private readonly RefreshQueue _queue;
    private long _blind;

    /// <param name="context">Of the run's parameters; a parallelism of 1 is best, since requests are computed side by side. Not owned.</param>
    /// <param name="key">Not owned: dispose it after this.</param>
    /// <param name="book">What is answered; this one's from here on.</param>
    /// <param name="settings">Threads and memory.</param>
    /// <param name="observer">Sees slots.</param>
    /// <param name="served">Told of every request, just before it is answered; called on several threads. It must not throw.</param>
    /// <param name="time">Measures computing.</param>
    /// <exception cref="ArgumentException">The key is of other parameters.</exception>
    public DataOwner(
        CkksContext context,
        SecretKey key,
        RefreshBook book,
        DataOwnerSettings settings,
        IOwnerObserver? observer = null,
        Action<OwnerProtocol.Served>? served = null,
        TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.Threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.MaxQueued, 1);
        (Context, _book, _observer, _served, _time) = (context, book, observer, served ?? (_ => { }), time ?? TimeProvider.System);
        _encryptor = new Encryptor(context);
        _refresh = new OwnerRefresh(context, key, _encryptor);
        _queue = new RefreshQueue(settings.Threads, settings.MaxQueued, "data owner", Serve);
    }

    /// <summary>Of the run's parameters.</summary>
    public CkksContext Context { get; }

    /// <summary>Ciphertexts whose slots the observer failed to look at.</summary>
    public long Unobserved => Interlocked.Read(ref _blind);

    /// <summary>Whether it computes nothing more but what is under way.</summary>
    internal bool IsEnding => _queue.IsEnding;

    /// <summary>Ends its threads after the requests under way; those that wait are dropped, and their connections closed.</summary>
    public void Dispose()
    {
        _queue.Dispose();
        _encryptor.Dispose();
    }

    string? IRefreshDesk.Objection(RefreshProtocol.Request request)
    {
        if (!request.IsOf(Context.Parameters))
        {
            return $"the owner's parameters are {Context.Parameters.Name}, the stage computes with others";
        }

        if (request.Level > Context.Parameters.MaxLevel)
        {
            return $"the highest level is {Context.Parameters.MaxLevel}, asked for was {request.Level}";
        }

        lock (_book)
        {
            return _book.Objection(request.Key);
        }
    }

    void IRefreshDesk.Reject(RefreshProtocol.Request request, string reason, RefreshConnection connection)
    {
        Tell(request, OwnerProtocol.Outcome.Rejected, 0, 0, reason);
        connection.Post(RefreshProtocol.Frame(RefreshProtocol.Answer.Rejected(request.Number, reason), Context, []));
    }

    void IRefreshDesk.Accept(RefreshProtocol.Request request, IReadOnlyList<Ciphertext> ciphertexts, byte[] content, RefreshConnection connection)
    {
        RefreshVerdict verdict;
        lock (_book)
        {
            verdict = ciphertexts.All(ciphertext => ciphertext.Size == 2)
                ? _book.Decide(request.Key, content)
                : RefreshVerdict.Reject("a ciphertext has three parts: relinearise it first");
        }

        var job = new RefreshJob(request, ciphertexts, connection) { Again = verdict.Decision == RefreshDecision.AnswerAgain };
        if (verdict.Decision == RefreshDecision.Reject)
        {
            job.Dispose();
            ((IRefreshDesk)this).Reject(request, verdict.Reason, connection);
            return;
        }

        _queue.Add(job);
    }

    private void Serve(RefreshJob job)
    {
        var start = _time.GetTimestamp();
        try
        {
            var (frame, bytes) = Answer(job.Request, job.Ciphertexts);
            job.Dispose();
            Tell(job.Request, job.Again ? OwnerProtocol.Outcome.AnsweredAgain : OwnerProtocol.Outcome.Answered, bytes, _time.GetElapsedTime(start).TotalSeconds, "");
            job.Answer(frame);
        }
        catch (Exception e)
        {
            // No memory, most likely. Whatever it is, the stage is told nothing of it: it asks again.
            Tell(job.Request, OwnerProtocol.Outcome.Failed, 0, _time.GetElapsedTime(start).TotalSeconds, $"{e.GetType().Name}: {e.Message}");
            job.Drop();
        }
    }

    private (byte[] Frame, long Bytes) Answer(RefreshProtocol.Request request, IReadOnlyList<Ciphertext> ciphertexts)
    {
        if (request.Kind == RefreshProtocol.Question.Report)
        {
            for (var i = 0; i < ciphertexts.Count; i++)
            {
                Look(request.Key, i, ciphertexts[i]);
            }

            return (RefreshProtocol.Frame(RefreshProtocol.Answer.Acknowledged(request.Number), Context, []), 0);
        }

        var lifted = new List<Ciphertext>();
        try
        {
            for (var i = 0; i < ciphertexts.Count; i++)
            {
                var index = i;
                lifted.Add(_refresh.Refresh(ciphertexts[i], request.Level, _observer is null ? null : slots => Observe(request.Key, index, slots, ciphertexts[index])));
            }

            var bytes = lifted.Sum(WireSize.Of);
            var answer = new RefreshProtocol.Answer(RefreshProtocol.Reply.Refreshed, request.Number, lifted.Count, bytes, "");
            return (RefreshProtocol.Frame(answer, Context, lifted), bytes);
        }
        finally
        {
            lifted.ForEach(ciphertext => ciphertext.Dispose());
        }
    }

    private void Look(RefreshKey key, int index, Ciphertext ciphertext)
    {
        if (_observer is not null)
        {
            _refresh.Look(ciphertext, slots => Observe(key, index, slots, ciphertext));
        }
    }

    /// <summary>An observer that fails must not be seen from outside.</summary>
    private void Observe(RefreshKey key, int index, IReadOnlyList<System.Numerics.Complex> slots, Ciphertext ciphertext)
    {
        try
        {
            var bits = Context.Parameters.Chain.Take(ciphertext.Level + 1).Sum(prime => prime.Bits);
            _observer!.Observed(key, index, slots, Math.Pow(2, bits - 1) / ciphertext.Scale.High);
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _blind);
        }
    }

    private void Tell(RefreshProtocol.Request request, OwnerProtocol.Outcome outcome, long bytes, double seconds, string reason) => _served(new OwnerProtocol.Served(
        request.Key, request.Kind == RefreshProtocol.Question.Report, outcome, request.Count, request.Bytes, bytes, seconds, reason));
}
