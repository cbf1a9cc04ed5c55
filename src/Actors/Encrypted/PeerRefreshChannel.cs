using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Tcp;
using ActorTrainer.He.Scheme;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// To an owner at another address. A thread connects when there is something to send, again and again until it is answered, and sends what is unanswered anew over
/// every connection; another one reads answers. Members may be called by several threads.
/// </summary>
public sealed class PeerRefreshChannel : IRefreshChannel
{
    /// <summary>How long disposal waits for the thread to end after its connection was closed.</summary>
    private static readonly TimeSpan JoinTime = TimeSpan.FromSeconds(5);

    private readonly CkksContext _context;
    private readonly IPeerNetwork _network;
    private readonly string _address;
    private readonly RefreshPatience _patience;
    private readonly OwnerPresence _owner;
    private readonly TimeProvider _time;
    private readonly object _gate = new();
    private readonly SortedDictionary<long, PendingRefresh> _pending = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private OwnerLink? _link;
    private long _number;

    /// <param name="context">Of the run's parameters.</param>
    /// <param name="network">Connections; not owned.</param>
    /// <param name="address">host:port where the owner listens.</param>
    /// <param name="notice">Told once when the owner is lost while it is needed, and once when it answers again; called on the channel's threads.</param>
    /// <param name="patience">Time-outs and pauses.</param>
    /// <param name="time">Measures pauses.</param>
    /// <param name="toHelper">Whether a helper is there instead of the owner.</param>
    /// <exception cref="RefusedException">The address is no host:port.</exception>
    public PeerRefreshChannel(
        CkksContext context, IPeerNetwork network, string address, Action<string>? notice = null, RefreshPatience? patience = null, TimeProvider? time = null,
        bool toHelper = false)
    {
        PeerAddress.Parse(address);
        (_context, _network, _address) = (context, network, address);
        (_owner, _patience, _time) = (new OwnerPresence(address, notice ?? (_ => { }), toHelper), patience ?? new RefreshPatience(), time ?? TimeProvider.System);
        _thread = new Thread(Run) { IsBackground = true, Name = $"refreshes to {address}" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public string? Outage => _owner.Outage;

    /// <inheritdoc/>
    public Task<IReadOnlyList<Ciphertext>> Ask(RefreshRequest request, IReadOnlyList<Ciphertext> ciphertexts, CancellationToken cancel)
    {
        var number = Interlocked.Increment(ref _number);
        var pending = new PendingRefresh(number, request, request.Frame(number, _context, ciphertexts));
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            _pending.Add(number, pending);
            Monitor.PulseAll(_gate);
        }

        pending.CancelWith(cancel, () => Remove(number));
        return pending.Answer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        PendingRefresh[] unanswered;
        lock (_gate)
        {
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            _stop.Cancel();
            _link?.Break("the channel was closed");
            unanswered = [.. _pending.Values];
            _pending.Clear();
            Monitor.PulseAll(_gate);
        }

        Array.ForEach(unanswered, pending => pending.Fail(new ObjectDisposedException(nameof(PeerRefreshChannel))));
        _thread.Join(JoinTime);
    }

    private void Run()
    {
        for (var tries = 0; Wanted();)
        {
            var (answers, fault) = Try();
            tries = answers > 0 ? 0 : tries + 1;
            if (tries > 0 && IsWaiting)
            {
                if (!_stop.IsCancellationRequested)
                {
                    _owner.Lose(fault);
                }

                Pause(tries);
            }
        }
    }

    /// <summary>Waits until there is something to send; false: the channel was closed.</summary>
    private bool Wanted()
    {
        lock (_gate)
        {
            while (_pending.Count == 0 && !_stop.IsCancellationRequested)
            {
                Monitor.Wait(_gate);
            }

            return !_stop.IsCancellationRequested;
        }
    }

    private bool IsWaiting
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count > 0;
            }
        }
    }

    /// <summary>One connection, from its beginning to its end.</summary>
    /// <returns>Answers that came over it, and why it ended.</returns>
    private (long Answers, string Fault) Try()
    {
        try
        {
            using var connection = _network.Connect(_address, PeerPurpose.Refresh, _patience.Connect);
            StreamLimits.Set(connection.Stream, read: _patience.Answer, write: _patience.Answer);
            return Talk(new OwnerLink(connection));
        }
        catch (Exception e)
        {
            // Whatever keeps the owner away, a name, a certificate or a network: the run waits.
            return (0, e.Message);
        }
    }

    private (long Answers, string Fault) Talk(OwnerLink link)
    {
        lock (_gate)
        {
            _link = link;
            if (_stop.IsCancellationRequested)
            {
                link.Break("the channel was closed");
            }
        }

        var reader = new Thread(() => ReadAnswers(link)) { IsBackground = true, Name = $"answers from {_address}" };
        reader.Start();
        try
        {
            while (Next(link) is { } pending)
            {
                link.Connection.Stream.Write(pending.Frame);
                link.Connection.Stream.Flush();
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            link.Break(e.Message);
        }

        link.Break("it was closed");
        reader.Join();
        lock (_gate)
        {
            _link = null;
        }

        return (link.Answers, link.Fault!);
    }

    /// <summary>Waits for a request that was not sent over the link; null: it is broken.</summary>
    private PendingRefresh? Next(OwnerLink link)
    {
        lock (_gate)
        {
            while (link.Fault is null)
            {
                if (_pending.Values.FirstOrDefault(pending => pending.SentOver != link) is { } next)
                {
                    next.SentOver = link;
                    return next;
                }

                Monitor.Wait(_gate);
            }

            return null;
        }
    }

    private void ReadAnswers(OwnerLink link)
    {
        try
        {
            while (PeerHeaders.Read<RefreshProtocol.Answer>(link.Connection.Stream) is { } answer)
            {
                Take(link, answer);
            }

            link.Break("the data owner closed the connection");
        }
        catch (Exception e)
        {
            // Whatever the bytes of an owner lead to ends with the connection.
            link.Break(e.Message);
        }
        finally
        {
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void Take(OwnerLink link, RefreshProtocol.Answer answer)
    {
        PendingRefresh? pending;
        lock (_gate)
        {
            _pending.TryGetValue(answer.Number, out pending);
        }

        if (pending is null)
        {
            Skip(link, answer);
            return;
        }

        IReadOnlyList<Ciphertext> lifted = [];
        RefusedException? rejected = null;
        try
        {
            lifted = pending.Request.Read(link.Connection.Stream, answer, _context);
        }
        catch (RefusedException e)
        {
            rejected = e;
        }

        Remove(answer.Number);
        link.Answers++;
        _owner.Find();
        if (rejected is null)
        {
            pending.Complete(lifted);
        }
        else
        {
            pending.Fail(rejected);
        }
    }

    /// <summary>The answer to a request that was given up.</summary>
    private void Skip(OwnerLink link, RefreshProtocol.Answer answer)
    {
        var largest = RefreshProtocol.MaxCiphertexts * RefreshProtocol.Largest(_context.Parameters);
        if (answer.Bytes < 0 || answer.Bytes > largest)
        {
            throw new InvalidDataException($"an answer of {answer.Bytes} bytes, at most {largest} can be");
        }

        new RefreshBody(link.Connection.Stream, answer.Bytes).Skip();
    }

    private void Remove(long number)
    {
        lock (_gate)
        {
            _pending.Remove(number);
        }
    }

    private void Pause(int tries)
    {
        try
        {
            Task.Delay(_patience.Pause(tries), _time, _stop.Token).Wait();
        }
        catch (AggregateException) when (_stop.IsCancellationRequested)
        {
            // Closed.
        }
    }

    /// <summary>A connection to the owner.</summary>
    private sealed class OwnerLink(PeerConnection connection)
    {
        private string? _fault;

        public PeerConnection Connection { get; } = connection;

        /// <summary>Why it ended; null while it is used.</summary>
        public string? Fault => Volatile.Read(ref _fault);

        /// <summary>Answers so far; written by the reader.</summary>
        public long Answers { get; set; }

        /// <summary>Ends it for the first reason given.</summary>
        public void Break(string fault)
        {
            Interlocked.CompareExchange(ref _fault, fault, null);
            Connection.Dispose();
        }
    }
}
