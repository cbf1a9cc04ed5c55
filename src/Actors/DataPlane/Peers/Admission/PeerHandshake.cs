using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ActorTrainer.Actors.DataPlane.Peers.Admission;

/// <summary>
/// The mutual proof that both sides know the cluster secret, before a byte of either is believed. Four records, each a head of 8 bytes
/// (magic, version, answer, length) and at most <see cref="MaxBody"/> bytes: greeting of the caller, greeting of the listener, proof of the
/// caller, proof of the listener. A proof is an HMAC-SHA256 over the role and both greetings with their fresh nonces, so that none can be
/// replayed or reflected. A record with an answer above 0 has no body and ends it.
/// </summary>
/// <param name="node">Name of this node.</param>
/// <param name="incarnation">This process.</param>
/// <param name="secret">The cluster secret; null or empty: everyone knows it.</param>
internal sealed class PeerHandshake(string node, string incarnation, byte[]? secret)
{
    /// <summary>Version of the handshake and of what follows it on the connection.</summary>
    public const byte Version = 1;

    /// <summary>Most bytes after a head.</summary>
    public const int MaxBody = 512;

    /// <summary>Bytes of a head.</summary>
    public const int HeadLength = 8;

    private const int ProofLength = HMACSHA256.HashSizeInBytes;

    private readonly byte[] _secret = secret ?? [];

    private enum Role : byte
    {
        Caller = 1,
        Listener = 2,
    }

    /// <summary>First bytes of every record.</summary>
    public static ReadOnlySpan<byte> Magic => "ATpn"u8;

    /// <summary>The side that connected.</summary>
    /// <param name="certified">Whether the certificate at the other end is for that node; always true without TLS.</param>
    /// <returns>The other side's greeting.</returns>
    /// <exception cref="NotAdmittedException">One of the two does not admit the other.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public PeerGreeting Call(Stream stream, PeerPurpose purpose, Func<string, bool> certified)
    {
        var own = Greet(purpose).ToBytes();
        SendQuietly(stream, own);
        var buffer = new byte[MaxBody];
        var theirs = buffer.AsMemory(0, Receive(stream, buffer)).ToArray();
        var greeting = PeerGreeting.Parse(theirs);
        if (!certified(greeting.Node))
        {
            throw new NotAdmittedException(PeerAnswer.OtherName, $"its certificate is not for the node '{greeting.Node}' that it says it is.");
        }

        Send(stream, PeerAnswer.Go, Prove(Role.Caller, own, theirs));
        CheckProof(buffer.AsSpan(0, Receive(stream, buffer)), Prove(Role.Listener, own, theirs));
        return greeting;
    }

    /// <summary>The side that was connected to; tells the other why when it does not admit it.</summary>
    /// <param name="serves">Whether connections of that purpose are taken.</param>
    /// <param name="certified">Whether the certificate at the other end is for that node; always true without TLS.</param>
    /// <returns>The other side's greeting.</returns>
    /// <exception cref="NotAdmittedException">It is not admitted.</exception>
    /// <exception cref="IOException">The connection broke, or took too long.</exception>
    public PeerGreeting Answer(Stream stream, Func<PeerPurpose, bool> serves, Func<string, bool> certified)
    {
        try
        {
            var buffer = new byte[MaxBody];
            var theirs = buffer.AsMemory(0, Receive(stream, buffer)).ToArray();
            var greeting = PeerGreeting.Parse(theirs);
            var own = Greet(greeting.Purpose).ToBytes();
            Send(stream, PeerAnswer.Go, own);
            CheckProof(buffer.AsSpan(0, Receive(stream, buffer)), Prove(Role.Caller, theirs, own));
            if (!certified(greeting.Node))
            {
                throw new NotAdmittedException(PeerAnswer.OtherName, $"its certificate is not for the node '{greeting.Node}' that it says it is.");
            }

            if (!serves(greeting.Purpose))
            {
                throw new NotAdmittedException(PeerAnswer.NotServed, $"'{greeting.Node}' wants a connection for purpose {(byte)greeting.Purpose}, which is not served here.");
            }

            Send(stream, PeerAnswer.Go, Prove(Role.Listener, theirs, own));
            return greeting;
        }
        catch (NotAdmittedException e) when (e.Tell)
        {
            SendQuietly(stream, [], e.Answer);
            throw;
        }
    }

    /// <summary>A head, as it travels.</summary>
    public static void WriteHead(Span<byte> head, PeerAnswer answer, int length)
    {
        Magic.CopyTo(head);
        head[4] = Version;
        head[5] = (byte)answer;
        BinaryPrimitives.WriteUInt16LittleEndian(head[6..], (ushort)length);
    }

    private PeerGreeting Greet(PeerPurpose purpose) => new(node, incarnation, purpose, RandomNumberGenerator.GetBytes(PeerGreeting.NonceLength));

    private byte[] Prove(Role role, byte[] caller, byte[] listener)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _secret);
        hmac.AppendData(Magic);
        hmac.AppendData([Version, (byte)role]);
        AppendSized(hmac, caller);
        AppendSized(hmac, listener);
        return hmac.GetHashAndReset();
    }

    /// <summary>With its length before it: what belongs to which greeting is part of what is proved.</summary>
    private static void AppendSized(IncrementalHash hmac, byte[] greeting)
    {
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)greeting.Length);
        hmac.AppendData(length);
        hmac.AppendData(greeting);
    }

    private static void CheckProof(ReadOnlySpan<byte> found, ReadOnlySpan<byte> expected)
    {
        if (found.Length != ProofLength)
        {
            throw new NotAdmittedException(PeerAnswer.Malformed, "its proof has another length.");
        }

        if (!CryptographicOperations.FixedTimeEquals(found, expected))
        {
            throw new NotAdmittedException(PeerAnswer.OtherSecret, "it knows another cluster secret.");
        }
    }

    private static void Send(Stream stream, PeerAnswer answer, ReadOnlySpan<byte> body)
    {
        Span<byte> record = stackalloc byte[HeadLength + body.Length];
        WriteHead(record, answer, body.Length);
        body.CopyTo(record[HeadLength..]);
        stream.Write(record);
        stream.Flush();
    }

    /// <summary>A side that has said why it closes may be gone: what it said is read next, or why it cannot be.</summary>
    private static void SendQuietly(Stream stream, ReadOnlySpan<byte> body, PeerAnswer answer = PeerAnswer.Go)
    {
        try
        {
            Send(stream, answer, body);
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Reads a record's body into the buffer; returns its length, which is at most the buffer's.</summary>
    private static int Receive(Stream stream, Span<byte> buffer)
    {
        Span<byte> head = stackalloc byte[HeadLength];
        stream.ReadExactly(head);
        if (!head.StartsWith(Magic))
        {
            throw new NotAdmittedException(PeerAnswer.Malformed, Stranger(head), tell: false);
        }

        var length = BinaryPrimitives.ReadUInt16LittleEndian(head[6..]);
        if (length > buffer.Length)
        {
            throw new NotAdmittedException(PeerAnswer.Malformed, $"a record of {length} bytes; expected at most {buffer.Length}.");
        }

        // The body is read before anything is refused: closing with unread bytes would take the answer with it.
        stream.ReadExactly(buffer[..length]);
        if (head[5] != (byte)PeerAnswer.Go)
        {
            throw NotAdmittedException.Told((PeerAnswer)head[5], head[4]);
        }

        return head[4] == Version
            ? length
            : throw new NotAdmittedException(PeerAnswer.OtherVersion, $"it speaks version {head[4]} of the handshake, this node {Version}.");
    }

    private static string Stranger(ReadOnlySpan<byte> head) => head[0] is 0x15 or 0x16 && head[1] == 0x03
        ? "it uses TLS, and this node does not; set cluster.tls alike on every node."
        : "it does not speak the protocol of the data plane.";
}
