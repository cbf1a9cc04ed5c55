using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Model.Checkpoints;
using MessagePack;

namespace ActorTrainer.Actors.Objects;

/// <summary>
/// What goes over a connection for objects: <see cref="PeerHeaders"/>; the bytes of an object follow raw, as many as the header before them said.
/// </summary>
public static class ObjectProtocol
{
    /// <summary>Most hashes in one question.</summary>
    public const int MaxHashes = 24;

    internal const int HashBytes = 32;

    /// <summary>What is asked.</summary>
    public enum Question : byte
    {
        /// <summary>Which of these objects are there? Answered by <see cref="Reply.Ok"/>: bit i of the number tells of hash i.</summary>
        Has = 1,

        /// <summary>Send an object. Answered by <see cref="Reply.Ok"/> with its length and step, and its bytes.</summary>
        Get = 2,

        /// <summary>Take an object: <see cref="Reply.Ok"/> when it is there, <see cref="Reply.Send"/> when its bytes are wanted, and another reply after those.</summary>
        Put = 3,
    }

    /// <summary>How it is answered.</summary>
    public enum Reply : byte
    {
        Ok = 1,
        Send = 2,

        /// <summary>No; the text says why.</summary>
        Refused = 3,
    }

    /// <summary>A question.</summary>
    /// <param name="Kind">What is asked.</param>
    /// <param name="Run">Run id.</param>
    /// <param name="Hashes">Hashes, 32 bytes each, one after the other.</param>
    /// <param name="Step">Step of the checkpoint of a put object.</param>
    /// <param name="Length">Bytes of a put object.</param>
    [MessagePackObject]
    public sealed record Request(
        [property: Key(0)] Question Kind,
        [property: Key(1)] string Run,
        [property: Key(2)] byte[] Hashes,
        [property: Key(3)] long Step,
        [property: Key(4)] long Length)
    {
        /// <summary>The hashes as hexadecimal digits.</summary>
        public IReadOnlyList<string> HashTexts() => [.. Hashes.Chunk(HashBytes).Select(Convert.ToHexStringLower)];

        /// <summary>What is wrong with a question from a stranger, null when nothing is.</summary>
        public string? Flaw() =>
            Kind is not (Question.Has or Question.Get or Question.Put) ? $"question {(byte)Kind} is unknown"
            : !NodeStore.IsRun(Run) ? "the run id is none"
            : Hashes is null || Hashes.Length % HashBytes != 0 || Hashes.Length / HashBytes is var count && (count < 1 || count > Most) ? "the hashes are none"
            : Step is < ContentStore.NoGeneration or > ContentStore.MaxGeneration ? $"step {Step} is out of range"
            : Length < 0 ? $"{Length} bytes are none"
            : null;

        private int Most => Kind == Question.Has ? MaxHashes : 1;
    }

    /// <summary>An answer.</summary>
    /// <param name="Kind">Yes, send, or no.</param>
    /// <param name="Number">Bits or length.</param>
    /// <param name="Step">Step of the latest checkpoint that a sent object is known to belong to.</param>
    /// <param name="Text">Why not.</param>
    [MessagePackObject]
    public sealed record Answer(
        [property: Key(0)] Reply Kind,
        [property: Key(1)] long Number,
        [property: Key(2)] long Step,
        [property: Key(3)] string Text)
    {
        /// <summary>No.</summary>
        public static Answer Refused(string why) => new(Reply.Refused, 0, 0, PeerHeaders.Reason(why));
    }

    /// <summary>A question about objects.</summary>
    /// <exception cref="ArgumentException">A hash is none.</exception>
    public static Request Ask(Question kind, string run, IEnumerable<string> hashes, long step = 0, long length = 0) => new(
        kind, run, [.. hashes.SelectMany(hash => ContentStore.IsHash(hash)
            ? Convert.FromHexString(hash)
            : throw new ArgumentException($"\"{hash}\" is not a SHA-256 in lower-case hexadecimal digits."))], step, length);
}
