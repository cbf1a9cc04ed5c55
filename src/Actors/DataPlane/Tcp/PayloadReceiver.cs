using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>
/// The receiving end of links. It takes one frame at a time from a connection, so what a peer can make it allocate is one payload of the
/// allowed size; a frame that breaks a rule costs the peer its connection.
/// </summary>
/// <param name="options">Limits.</param>
/// <param name="reader">Reads payloads.</param>
/// <param name="peers">Counts bad and repeated frames.</param>
/// <param name="counters">Counts the others.</param>
/// <param name="expects">Whether somebody waits for such a transfer.</param>
/// <param name="deliver">Hands a payload over; false when nobody wants it any more.</param>
internal sealed class PayloadReceiver(
    TcpDataPlaneOptions options,
    IPayloadReader reader,
    PeerCounters peers,
    PlaneCounters counters,
    Func<int, TransferKey, bool> expects,
    Func<int, TransferKey, IPayload, bool> deliver) : IDisposable
{
    private readonly IncomingSessions _sessions = new();

    /// <summary>Serves a connection until it ends.</summary>
    public void Handle(PeerConnection connection)
    {
        IncomingSession? session = null;
        try
        {
            StreamLimits.Set(connection.Stream, read: options.IdleLimit, write: options.IdleLimit);
            var frames = new FrameReader(connection.Stream);
            var answers = new FrameWriter(connection.Stream);
            if (!frames.Next(out var open))
            {
                return;
            }

            frames.Finish();
            session = open.Kind == FrameKind.Open
                ? _sessions.Take(connection, open.Session, open.Known)
                : throw new InvalidDataException($"A connection begins with a frame of kind {open.Kind}.");
            answers.WriteFrame(Answer(FrameKind.Welcome, open.Session, session));
            while (session is not null && frames.Next(out var header))
            {
                if (header.Session != session.Id)
                {
                    throw new InvalidDataException("A frame of another session.");
                }

                switch (header.Kind)
                {
                    case FrameKind.Payload:
                        Receive(frames, header, session, connection);
                        break;
                    case FrameKind.Ping:
                        frames.Finish();
                        break;
                    case FrameKind.Bye:
                        frames.Finish();
                        _sessions.Forget(session, connection);
                        return;
                    default:
                        throw new InvalidDataException($"A frame of kind {header.Kind} from a sender.");
                }

                answers.WriteFrame(Answer(FrameKind.Ack, session.Id, session));
            }
        }
        catch (IOException e) when (e is not EndOfStreamException)
        {
            // The connection broke; the sender comes back if it still lives.
        }
        catch (Exception)
        {
            peers.CountMalformed(); // whatever a payload reader throws on bytes from outside
        }
        finally
        {
            connection.Dispose();
            if (session is not null)
            {
                _sessions.Release(session, connection);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _sessions.Dispose();

    private void Receive(FrameReader frames, in FrameHeader header, IncomingSession session, PeerConnection connection)
    {
        if (header.PayloadKind != options.PayloadKind || header.Length > options.MaxPayloadBytes)
        {
            throw new InvalidDataException($"A payload of kind {header.PayloadKind} and {header.Length} bytes; allowed are kind {options.PayloadKind} and {options.MaxPayloadBytes} bytes.");
        }

        if (header.Sequence <= session.Last)
        {
            frames.Skip();
            frames.Finish();
            peers.CountReplayed();
            return;
        }

        if (header.Sequence != session.Last + 1 || header.Length > options.Window)
        {
            throw new InvalidDataException($"Frame {header.Sequence} of {header.Length} bytes after frame {session.Last}.");
        }

        IPayload? payload = null;
        try
        {
            if (expects(header.To, header.Key))
            {
                payload = reader.Read(frames);
            }
            else
            {
                frames.Skip();
            }

            frames.Finish();
            var (to, key, whole) = (header.To, header.Key, payload);
            if (session.Complete(connection, header, () => whole is not null && deliver(to, key, whole)))
            {
                payload = null; // it belongs to the actor now
                counters.CountReceived(header.Length);
            }
            else
            {
                counters.CountStale();
            }
        }
        finally
        {
            payload?.Dispose();
        }
    }

    private FrameHeader Answer(FrameKind kind, ulong id, IncomingSession? session) =>
        session is null
            ? new FrameHeader(kind, id)
            : new FrameHeader(kind, id, Sequence: session.Last, Known: true, Granted: session.Bytes + options.Window);
}
