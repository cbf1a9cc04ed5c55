using System.Buffers.Binary;
using System.Security.Cryptography;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Objects;
using MessagePack;
using Xunit;

namespace ActorTrainer.Tests.Objects;

public sealed class ObjectServerTests : IDisposable
{
    private const string Run = TestNode.Run;

    private readonly TestNode _node = new(patience: TestNode.Patience);
    private readonly LoopbackNetwork _network = new();

    public void Dispose()
    {
        _network.Dispose();
        _node.Dispose();
    }

    [Fact]
    public void A_link_answers_for_more_hashes_than_fit_into_a_question()
    {
        var held = Enumerable.Range(0, 60).Select(i => _node.Put([(byte)i])).ToList();
        var missing = Enumerable.Range(100, 60).Select(i => HashOf([(byte)i])).ToList();
        var mixed = held.Zip(missing, (one, other) => new[] { one, other }).SelectMany(pair => pair).ToList();
        Assert.Equal(held, _node.Client.Holds(_node.Address, Run, mixed));
        Assert.Empty(_node.Client.Holds(_node.Address, "another", mixed));
    }

    [Fact]
    public void A_link_serves_many_questions_and_refusals_do_not_end_it()
    {
        using var other = new TestNode();
        using var link = _node.Client.Connect(other.Address);
        var contents = Enumerable.Range(0, 5).Select(i => TestNode.Bytes(i, 10_000 * i)).ToList();
        var hashes = contents.Select(content => _node.Put(content, 4)).ToList();
        foreach (var hash in hashes)
        {
            Assert.Throws<IOException>(() => link.Fetch(Run, hash, _node.Store)); // not there yet
            link.Push(Run, 4, hash, _node.Store.PathOf(Run, hash));
        }

        Assert.Equal(hashes, link.Holds(Run, hashes));
        _node.Store.Drop(Run);
        foreach (var (hash, content) in hashes.Zip(contents))
        {
            link.Fetch(Run, hash, _node.Store);
            Assert.Equal(content, _node.Read(hash));
        }

        Assert.Equal(0, other.Counters.Malformed);
    }

    [Fact]
    public void An_object_that_is_damaged_on_its_way_is_counted_and_not_stored()
    {
        using var sender = new TestNode();
        var hash = sender.Put(TestNode.Bytes(1, 50_000));
        sender.Damage(hash);
        var failure = Assert.Throws<IOException>(() => sender.Client.Push(_node.Address, Run, 1, hash, sender.Store.PathOf(Run, hash)));
        Assert.Contains("damaged on its way", failure.Message);
        Assert.Equal(1, _node.Counters.Malformed);
        Assert.Empty(_node.Files);
    }

    [Fact]
    public void An_object_above_the_limit_is_refused_with_the_numbers_before_a_byte_is_sent()
    {
        using var link = Connect();
        PeerHeaders.Write(link.Stream, ObjectProtocol.Ask(ObjectProtocol.Question.Put, Run, [HashOf([1])], 1, TestNode.MaxBytes + 1));
        var answer = PeerHeaders.Read<ObjectProtocol.Answer>(link.Stream)!;
        Assert.Equal(ObjectProtocol.Reply.Refused, answer.Kind);
        Assert.Contains($"{TestNode.MaxBytes + 1}", answer.Text);
        Assert.Contains($"{TestNode.MaxBytes}", answer.Text);
        Assert.Equal(1, _node.Counters.Malformed);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_node.Folder));
    }

    [Theory]
    [InlineData("", 32, 1, 1, 1)]
    [InlineData("../other", 32, 1, 1, 1)]
    [InlineData("a/b", 32, 1, 1, 2)]
    [InlineData(Run, 0, 1, 1, 1)]
    [InlineData(Run, 31, 1, 1, 2)]
    [InlineData(Run, 64, 1, 1, 3)]
    [InlineData(Run, 25 * 32, 1, 1, 1)]
    [InlineData(Run, 32, -2, 1, 3)]
    [InlineData(Run, 32, long.MaxValue, 1, 3)]
    [InlineData(Run, 32, long.MinValue, 1, 3)]
    [InlineData(Run, 32, 1, -1, 3)]
    [InlineData(Run, 32, 1, long.MinValue, 3)]
    [InlineData(Run, 32, 1, 1, 0)]
    [InlineData(Run, 32, 1, 1, 4)]
    public void A_question_with_impossible_members_closes_the_connection_and_is_counted(string run, int hashBytes, long step, long length, byte kind)
    {
        using var link = Connect();
        PeerHeaders.Write(link.Stream, new ObjectProtocol.Request((ObjectProtocol.Question)kind, run, new byte[hashBytes], step, length));
        Assert.Null(PeerHeaders.Read<ObjectProtocol.Answer>(link.Stream));
        Assert.Equal(1, _node.Counters.Malformed);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_node.Folder));
    }

    [Fact]
    public void Members_that_are_nil_or_missing_are_counted_too()
    {
        var nil = MessagePackSerializer.Serialize(new object?[] { (byte)2, null, null, 0L, 0L });
        var few = MessagePackSerializer.Serialize(new object?[] { (byte)2 });
        foreach (var header in new[] { nil, few, [0xc0] })
        {
            using var link = Connect();
            link.Stream.Write([.. Length(header.Length), .. header]);
            Assert.Null(PeerHeaders.Read<ObjectProtocol.Answer>(link.Stream));
        }

        Assert.Equal(3, _node.Counters.Malformed);
        Assert.Empty(_node.Thrown);
    }

    [Fact]
    public void Thousands_of_garbage_questions_crash_nothing_store_nothing_and_are_counted()
    {
        const int Cases = 5000;
        var hash = _node.Put([1, 2, 3], step: 2);
        var files = Directory.EnumerateFileSystemEntries(_node.Folder, "*", SearchOption.AllDirectories).Count();
        var valid = MessagePackSerializer.Serialize(ObjectProtocol.Ask(ObjectProtocol.Question.Get, Run, [hash]));
        var (counted, allocated) = (0L, 0L);
        Parallel.For(0, Cases, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            var random = new Random(i);
            using var link = new PeerConnection(new Conversation(Garbage(random, valid)), "stranger", "1");
            var counters = new PeerCounters();
            // What other tests allocate meanwhile does not count.
            var before = GC.GetAllocatedBytesForCurrentThread();
            new ObjectServer(_node.Store, counters, TestNode.MaxBytes, TestNode.Patience).Handle(link);
            Interlocked.Add(ref allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(1, counters.Malformed);
            Interlocked.Add(ref counted, counters.Malformed);
        });
        Assert.Equal(Cases, counted);
        Assert.True(allocated / Cases < 64 * 1024);
        Assert.Equal(files, Directory.EnumerateFileSystemEntries(_node.Folder, "*", SearchOption.AllDirectories).Count());
        Assert.Equal([1, 2, 3], _node.Read(hash));

        static byte[] Garbage(Random random, byte[] valid)
        {
            switch (random.Next(5))
            {
                case 0: // any bytes behind a length that fits
                    var bytes = new byte[random.Next(1, PeerHeaders.MaxLength + 1)];
                    random.NextBytes(bytes);
                    return [.. Length(bytes.Length), .. bytes];
                case 1: // a length that does not fit
                    return [.. Length(random.Next(2) == 0 ? random.Next(int.MinValue, 1) : random.Next(PeerHeaders.MaxLength + 1, int.MaxValue)), .. valid];
                case 2: // cut off
                    byte[] whole = [.. Length(valid.Length), .. valid];
                    return whole[..random.Next(1, whole.Length)];
                case 3: // more than its members
                    return [.. Length(valid.Length + 1), .. valid, 0xc0];
                default: // a damaged structure: the kind, the run's length, the array's length
                    var damaged = (byte[])valid.Clone();
                    damaged[random.Next(3)] = (byte)random.Next(0xc1, 0xc4);
                    return [.. Length(damaged.Length), .. damaged];
            }
        }
    }

    [Fact]
    public void A_stranger_who_falls_silent_is_let_go()
    {
        using var node = new TestNode(patience: TimeSpan.FromMilliseconds(30));
        using var link = _network.Connect(node.Address, PeerPurpose.Objects, TestNode.Patience);
        link.Stream.ReadTimeout = 10_000;
        Assert.Equal(0, link.Stream.Read(new byte[1]));
    }

    private static byte[] Length(int length)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        return bytes;
    }

    private static string HashOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private PeerConnection Connect() => _network.Connect(_node.Address, PeerPurpose.Objects, TestNode.Patience);

    /// <summary>What the other side says, and then nothing; what is answered is lost.</summary>
    private sealed class Conversation(byte[] said) : MemoryStream(said, writable: false)
    {
        public override bool CanWrite => true;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
        }
    }
}
