using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using MessagePack;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

/// <summary>What admitted nodes may send that is no request.</summary>
public sealed class RefreshServerTests : IDisposable
{
    private static readonly RefreshKey Key = new("r", 1, 1, Phase.Train, 0, "layers.0.norm1.variance", 0);

    private readonly OwnerSide _owner = new();

    public void Dispose() => _owner.Dispose();

    [Fact]
    public void Thousands_of_damaged_requests_crash_nothing_and_take_little_memory()
    {
        const int Cases = 4000;
        var valid = new RefreshRequest(RefreshProtocol.Question.Refresh, Key, 2, 2).Frame(1, _owner.Context, _owner.Low(0.25, 0.5));
        Say(valid);
        var (random, inUse) = (new Random(5), _owner.Context.Ring.Pool.BytesInUse);
        var header = BitConverter.ToInt32(valid) + sizeof(int);
        // Requests are read on this thread; what other tests allocate meanwhile does not count.
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Cases; i++)
        {
            var damaged = valid.ToArray();
            for (var turns = random.Next(1, 4); turns > 0; turns--)
            {
                // Half of them in the header, most of the bytes are residues.
                damaged[random.Next(random.Next(2) == 0 ? header : damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            var bytes = random.Next(4) == 0 ? damaged[..random.Next(damaged.Length)] : damaged;
            var (answer, malformed) = Say(bytes);
            Assert.True(malformed <= 1);
            Assert.True(malformed == 1 || answer is not null || bytes.Length == 0, $"case {i}: neither answered nor counted");
        }

        Assert.True((GC.GetAllocatedBytesForCurrentThread() - allocated) / Cases < 64 * 1024);
        Assert.Equal(inUse, _owner.Context.Ring.Pool.BytesInUse);
        Assert.DoesNotContain(_owner.Served, served => served.Outcome == OwnerProtocol.Outcome.Failed);
        // Damage may have looked like a later attempt, which a last one comes after.
        var last = new RefreshRequest(RefreshProtocol.Question.Refresh, Key with { Attempt = int.MaxValue }, 2, 2);
        Assert.Equal(RefreshProtocol.Reply.Refreshed, Say(last.Frame(1, _owner.Context, _owner.Low(0.25, 0.5))).Answer!.Kind);
    }

    [Fact]
    public void Thousands_of_garbage_headers_are_counted()
    {
        var random = new Random(6);
        for (var i = 0; i < 2000; i++)
        {
            var garbage = new byte[random.Next(1, 200)];
            random.NextBytes(garbage);
            Assert.Equal((null, 1), Say(random.Next(2) == 0 ? garbage : [(byte)garbage.Length, 0, 0, 0, .. garbage]));
        }

        Assert.Empty(_owner.Served);
    }

    [Fact]
    public void Requests_with_impossible_members_close_the_connection_and_are_counted()
    {
        var good = Header();
        Assert.All(
            new[]
            {
                good with { Kind = 0 },
                good with { Kind = (RefreshProtocol.Question)3 },
                good with { Level = -1 },
                good with { Count = 0 },
                good with { Count = -1 },
                good with { Count = RefreshProtocol.MaxCiphertexts + 1 },
                good with { Bytes = -1 },
                good with { Bytes = RefreshProtocol.Largest(_owner.Context.Parameters) + 1 },
                good with { Bytes = long.MaxValue },
                good with { Parameters = [] },
                good with { Parameters = null! },
                good with { Key = default },
                good with { Key = Key with { Site = "../a" } },
            },
            bad => Assert.Equal((null, 1), Say([.. PeerHeaders.ToBytes(bad), .. new byte[5000]])));
        Assert.Empty(_owner.Served);
    }

    [Fact]
    public void Members_that_are_nil_or_missing_are_counted_too()
    {
        foreach (var header in new[]
        {
            MessagePackSerializer.Serialize(new object?[] { (byte)1, 1L, null, 1, 1, 1L, null }),
            MessagePackSerializer.Serialize(new object?[] { (byte)1 }),
            [0xc0],
        })
        {
            Assert.Equal((null, 1), Say([.. BitConverter.GetBytes(header.Length), .. header]));
        }
    }

    [Fact]
    public void A_ciphertext_of_three_parts_and_a_level_that_is_none_are_rejected()
    {
        var product = new RefreshRequest(RefreshProtocol.Question.Refresh, Key, 2, 1).Frame(7, _owner.Context, [_owner.He.Evaluator.Rescale(_owner.He.Product(1))]);
        var level = new RefreshRequest(RefreshProtocol.Question.Refresh, Key, 3, 1).Frame(8, _owner.Context, _owner.Low(1));

        var (first, second) = (Say(product).Answer!, Say(level).Answer!);

        Assert.Equal((RefreshProtocol.Reply.Rejected, 7L), (first.Kind, first.Number));
        Assert.Contains("three parts", first.Text);
        Assert.Equal((RefreshProtocol.Reply.Rejected, 8L), (second.Kind, second.Number));
        Assert.Contains("highest level is 2", second.Text);
    }

    [Fact]
    public void A_rejection_is_cut_to_a_length_that_fits_a_header()
    {
        var answer = RefreshProtocol.Answer.Rejected(long.MaxValue, new string('ж', 5000));

        Assert.InRange(PeerHeaders.ToBytes(answer).Length, 300, PeerHeaders.MaxLength);
    }

    [Fact]
    public void The_longest_key_fits_a_header()
    {
        var longest = Header() with
        {
            Number = long.MaxValue,
            Key = new RefreshKey(new string('r', 64), int.MaxValue, long.MaxValue, Phase.Train, int.MaxValue, new string('s', RefreshKey.MaxSite), int.MaxValue),
        };

        Assert.Null(longest.Flaw(_owner.Context.Parameters));
        Assert.Equal(longest.Key, PeerHeaders.Read<RefreshProtocol.Request>(new MemoryStream(PeerHeaders.ToBytes(longest)))!.Key);
    }

    private RefreshProtocol.Request Header() => new(
        RefreshProtocol.Question.Refresh, 1, Key, 2, 1, 100, _owner.Context.Parameters.Fingerprint.ToArray());

    /// <summary>Says something and then nothing more.</summary>
    /// <returns>The first answer, and what was counted.</returns>
    private (RefreshProtocol.Answer? Answer, long Malformed) Say(byte[] bytes)
    {
        var counters = new PeerCounters();
        using var conversation = new Conversation(bytes);
        new RefreshServer(_owner.Owner, counters, OwnerSide.Patience).Handle(new PeerConnection(conversation, "stranger", "1"));
        return (PeerHeaders.Read<RefreshProtocol.Answer>(new MemoryStream(conversation.Answered.ToArray())), counters.Malformed);
    }

    private sealed class Conversation(byte[] said) : MemoryStream(said, writable: false)
    {
        public MemoryStream Answered { get; } = new();

        public override bool CanWrite => true;

        public override void Write(ReadOnlySpan<byte> buffer) => Answered.Write(buffer);

        public override void Write(byte[] buffer, int offset, int count) => Answered.Write(buffer, offset, count);
    }
}
