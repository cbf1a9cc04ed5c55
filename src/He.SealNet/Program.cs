using System.Globalization;
using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.SealNet;

// Runs one program on SEAL, on our engine and on plain numbers, and prints the largest differences; the argument names a parameter set.
const int AgreeBits = 15;
var literal = ParameterSets.All.Single(set => set.Name == args.FirstOrDefault("L15"));
var parameters = new CkksParameters(literal);
var random = new Random(1);
var (a, b) = (Values(), Values());
double[] coefficients = [.. Enumerable.Range(0, 8).Select(_ => (random.NextDouble() - 0.5) / 4)];
var matrix = DiagonalMatrix.FromEntries(8, (_, _) => new Complex(random.NextDouble() - 0.5, random.NextDouble() - 0.5), babySteps: 3);
KeyRequest[] requests =
[
    new(KeyRequest.Relinearisation, parameters.MaxLevel),
    new(Galois.Rotation(parameters, 5), parameters.MaxLevel),
    new(Galois.Rotation(parameters, -1), parameters.MaxLevel),
    new(Galois.Conjugation(parameters), parameters.MaxLevel),
    .. matrix.Requests(parameters, parameters.MaxLevel),
];

using var context = new CkksContext(parameters);
using var generator = new KeyGenerator(context, allowInsecure: true);
using var secret = generator.NewSecretKey();
using var publicKey = generator.NewPublicKey(secret);
using var keys = generator.NewEvaluationKeys(secret, requests);
using var encryptor = new Encryptor(context);
using var seal = new SealNetContext(parameters);
using var owner = new SealNetOwner(seal);
using var sealKeys = owner.NewEvaluationKeys(requests);
using var sealBackend = new SealNetBackend(seal, sealKeys);
var encoder = new Encoder(context);
var twin = new TwinBackend(parameters);

Ciphertext Ours(PlainVector values)
{
    using var plaintext = encoder.Encode([.. values.Values], parameters.MaxLevel, parameters.ScaleAt(parameters.MaxLevel));
    return encryptor.Encrypt(plaintext, publicKey);
}

var decryptor = new Decryptor(context, secret);
var plain = Run(twin, v => twin.Encrypt(v, parameters.MaxLevel), c => [.. TwinBackend.Values(c)]);
var ours = Run(new CkksBackend(context, keys), Ours, decryptor.Slots);
var theirs = Run(sealBackend, v => owner.Encrypt(v, parameters.MaxLevel), owner.Decrypt);

Console.WriteLine(parameters);
Console.WriteLine($"{"largest difference, log2",-38}{"SEAL, ours",13}{"SEAL, plain",13}{"ours, plain",13}");
var fails = 0;
for (var i = 0; i < plain.Count; i++)
{
    var (between, sealError, ourError) = (Gap(theirs[i].Slots, ours[i].Slots), Gap(theirs[i].Slots, plain[i].Slots), Gap(ours[i].Slots, plain[i].Slots));
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plain[i].Name,-38}{between,13:F1}{sealError,13:F1}{ourError,13:F1}"));
    fails += between < -AgreeBits ? 0 : 1;
}

Console.WriteLine(fails == 0 ? $"All agree to {AgreeBits} bits." : $"{fails} differ by more than 2^-{AgreeBits}.");
return fails;

PlainVector Values() => new([.. Enumerable.Range(0, parameters.Slots).Select(_ => new Complex(random.NextDouble() - 0.5, random.NextDouble() - 0.5))]);

static double Gap(Complex[] x, Complex[] y) => Math.Log2(x.Zip(y, (u, v) => (u - v).Magnitude).Max());

List<(string Name, Complex[] Slots)> Run(IBackend backend, Func<PlainVector, Ciphertext> encrypt, Func<Ciphertext, Complex[]> decrypt)
{
    var evaluator = new Evaluator(backend);
    var results = new List<(string, Complex[])>();
    using var x = encrypt(a);
    using var y = encrypt(b);
    using var real = evaluator.Conjugate(x);
    using var twice = evaluator.Add(x, real);
    Note("fresh", () => evaluator.DropTo(x, x.Level));
    Note("sum, with a plain vector", () =>
    {
        using var sum = evaluator.Add(x, y);
        return evaluator.Add(sum, b);
    });
    Note("difference, negated, less a constant", () =>
    {
        using var difference = evaluator.Subtract(x, y);
        using var negated = evaluator.Negate(difference);
        return evaluator.Add(negated, -0.25);
    });
    Note("product, rescaled", () =>
    {
        using var product = evaluator.Multiply(x, y);
        return evaluator.Rescale(product);
    });
    Note("square, three parts, rescaled", () =>
    {
        using var product = evaluator.MultiplyLazy(x, x);
        return evaluator.Rescale(product);
    });
    Note("product with a plain vector", () =>
    {
        using var product = evaluator.Multiply(x, b);
        return evaluator.Rescale(product);
    });
    Note("product with zero, plus x", () =>
    {
        using var product = evaluator.Multiply(x, 0.0);
        using var zero = evaluator.Rescale(product);
        using var aligned = evaluator.AlignTo(x, zero.Level);
        return evaluator.Add(zero, aligned);
    });
    Note("rotation by 5", () => evaluator.Rotate(x, 5));
    Note("rotations by 5 and −1, summed", () =>
    {
        var rotated = evaluator.RotateMany(x, [5, -1]);
        using var first = rotated[0];
        using var second = rotated[1];
        return evaluator.Add(first, second);
    });
    Note("conjugate", () => evaluator.Conjugate(x));
    Note("itself and rotations by 5 and −1", () => evaluator.SumRotations(x, [5, -1]));
    Note("linear transform, 8 diagonals", () =>
    {
        using var product = evaluator.Transform(x, matrix);
        return evaluator.Rescale(product);
    });
    Note("Chebyshev polynomial, degree 7", () => ChebyshevEvaluation.Evaluate(evaluator, twice, coefficients));
    return results;

    void Note(string name, Func<Ciphertext> work)
    {
        using var result = work();
        results.Add((name, decrypt(result)));
    }
}
