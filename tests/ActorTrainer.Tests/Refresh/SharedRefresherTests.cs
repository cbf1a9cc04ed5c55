using System.Collections.Concurrent;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.He;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

/// <summary>Bootstraps that are spread over a stage and its helpers. Who lifts is made up: nothing is lifted, and the level tells who it was.</summary>
public sealed class SharedRefresherTests : IDisposable
{
    private const int Own = 1;
    private const int Others = 2;

    private readonly WireFixture _he = new();
    private readonly Lifter _own;

    public SharedRefresherTests() => _own = new Lifter(_he, Own);

    [Fact]
    public void Pairs_go_to_whoever_is_free_and_come_back_in_order()
    {
        using var helper = new Link(_he);
        _own.First = helper.Begun.Wait;
        var shared = new SharedRefresher(_own, [helper], site => site == "s" ? 8 : null);

        var lifted = shared.Refresh(Numbered(7), 3, "s");

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], Numbers(lifted));
        Assert.Equal([7], _own.Sizes.Concat(helper.Sizes).Aggregate(new List<int> { 0 }, (sum, next) => [sum[0] + next]));
        Assert.All(helper.Sizes, size => Assert.InRange(size, 1, 2));
        Assert.NotEmpty(helper.Sizes);
        Assert.NotEmpty(_own.Sizes);
        // A helper does not know the bounds of sites: it is told.
        Assert.All(helper.Magnitudes, bound => Assert.Equal(8, bound));
    }

    [Fact]
    public void Two_ciphertexts_are_one_piece_of_work_and_stay_here()
    {
        using var helper = new Link(_he);

        Assert.Equal([0, 1], Numbers(new SharedRefresher(_own, [helper]).Refresh(Numbered(2), 3, "s")));

        Assert.Empty(helper.Sizes);
    }

    [Theory]
    [InlineData(nameof(IOException))]
    [InlineData(nameof(RefusedException))]
    public void What_a_helper_cannot_do_the_stage_does_itself(string fault)
    {
        using var helper = new Link(_he) { Work = () => throw (fault == nameof(IOException) ? new IOException("gone") : new RefusedException("no")) };
        _own.First = helper.Begun.Wait;

        Assert.Equal([0, 1, 2, 3], Numbers(new SharedRefresher(_own, [helper]).Refresh(Numbered(4), 3, "s")));

        Assert.Equal(4, _own.Sizes.Sum());
    }

    [Fact]
    public void What_a_lost_helper_has_not_answered_the_stage_does_itself_and_asks_it_no_more_until_it_answers()
    {
        using var answer = new ManualResetEventSlim();
        using var helper = new Link(_he) { Work = () => answer.Wait() };
        _own.First = () =>
        {
            helper.Begun.Wait();
            helper.Lost = true;
        };
        var shared = new SharedRefresher(_own, [helper]);

        Assert.Equal([0, 1, 2, 3], Numbers(shared.Refresh(Numbered(4), 3, "s")));
        helper.Lost = false;
        // It is back, but still at what nobody waits for any more.
        Assert.Equal([0, 1, 2, 3], Numbers(shared.Refresh(Numbered(4), 3, "s")));
        Assert.Single(helper.Sizes);
        answer.Set();
        SpinWait.SpinUntil(() => helper.Ended == 1);
        _own.First = () => SpinWait.SpinUntil(() => helper.Sizes.Count > 1, TimeSpan.FromSeconds(20));
        while (helper.Sizes.Count == 1)
        {
            Assert.Equal([0, 1, 2, 3], Numbers(shared.Refresh(Numbered(4), 3, "s")));
        }
    }

    [Fact]
    public void A_stage_that_is_given_up_does_not_wait_for_its_helpers()
    {
        using var helper = new Link(_he) { Work = () => throw new OperationCanceledException() };
        _own.First = helper.Begun.Wait;

        Assert.Throws<OperationCanceledException>(() => new SharedRefresher(_own, [helper]).Refresh(Numbered(4), 3, "s"));
    }

    [Fact]
    public void A_link_begins_and_ends_with_those_of_its_helpers()
    {
        var (owner, helper) = (new Link(_he), new Link(_he));
        using (var link = new HelpedLink(owner, [helper]))
        {
            link.Begin("r", 1, 2, Phase.Train, 3);
            link.Cancel();
            helper.Lost = true;

            Assert.Null(link.Outage);
            Assert.Equal([helper], link.Helpers);
        }

        string[] calls = ["begin r 1 2 Train 3", "cancel", "dispose"];
        Assert.Equal(calls, owner.Calls);
        Assert.Equal(calls, helper.Calls);
    }

    public void Dispose() => _he.Dispose();

    private Ciphertext[] Numbered(int count) => [.. Enumerable.Range(0, count).Select(i => _he.Encrypt(1, seeded: false, i))];

    private IEnumerable<int> Numbers(IReadOnlyList<Ciphertext> ciphertexts) => ciphertexts.Select(c => (int)Math.Round(_he.Decrypted(c)));

    /// <summary>Gives back copies.</summary>
    private class Lifter(WireFixture he, int level) : IRefresher
    {
        private int _calls;

        public int MaxLevel => Others;

        public ConcurrentQueue<int> Sizes { get; } = new();

        public ConcurrentQueue<double> Magnitudes { get; } = new();

        /// <summary>Done within the first call.</summary>
        public Action? First { get; set; }

        public virtual IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int to, string site)
        {
            if (Interlocked.Increment(ref _calls) == 1)
            {
                First?.Invoke();
            }

            Sizes.Enqueue(ciphertexts.Count);
            ciphertexts.ToList().ForEach(c => Magnitudes.Enqueue(c.Magnitude));
            return [.. ciphertexts.Select(c => he.Evaluator.DropTo(c, level))];
        }
    }

    private sealed class Link(WireFixture he) : Lifter(he, Own), IOwnerLink
    {
        private int _ended;

        public ManualResetEventSlim Begun { get; } = new();

        public bool Lost { get; set; }

        public Action Work { get; init; } = () => { };

        public int Ended => Volatile.Read(ref _ended);

        public List<string> Calls { get; } = [];

        public string? Outage => Lost ? "the helper" : null;

        public override IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int to, string site)
        {
            var lifted = base.Refresh(ciphertexts, to, site);
            Begun.Set();
            try
            {
                Work();
            }
            finally
            {
                Interlocked.Increment(ref _ended);
            }

            return lifted;
        }

        public void Begin(string run, int attempt, long step, Phase phase, int microBatch) => Calls.Add($"begin {run} {attempt} {step} {phase} {microBatch}");

        public void Report(IReadOnlyList<Ciphertext> ciphertexts, string site) => throw new NotSupportedException();

        public void Cancel() => Calls.Add("cancel");

        public void Dispose()
        {
            Calls.Add("dispose");
            Begun.Dispose();
        }
    }
}
