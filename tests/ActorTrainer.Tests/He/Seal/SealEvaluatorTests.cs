using System.Numerics;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Seal;
using Xunit;

namespace ActorTrainer.Tests.He.Seal;

public sealed class SealEvaluatorTests : IDisposable
{
    private readonly OurSet _ours = new(64, 50, 40, 40, 50);

    public void Dispose() => _ours.Dispose();

    [Fact]
    public void A_program_gives_the_numbers_that_it_should()
    {
        var evaluator = _ours.Evaluator;
        using var product = evaluator.Multiply(_ours.A, _ours.B);
        using var relinearised = evaluator.Relinearise(product, _ours.Relinearisation);
        using var rotated = evaluator.Rotate(relinearised, 3, _ours.Galois);
        using var conjugated = evaluator.Conjugate(rotated, _ours.Galois);

        var slots = Decrypted(conjugated);

        for (var i = 0; i < slots.Length; i++)
        {
            var at = (i + 3) % slots.Length;
            Assert.InRange((slots[i] - Complex.Conjugate(_ours.X[at] * _ours.Y[at])).Magnitude, 0, 1e-5);
        }
    }

    [Fact]
    public void A_cube_of_four_parts_is_decrypted_but_needs_two_relinearisation_keys()
    {
        var evaluator = _ours.Evaluator;
        using var low = evaluator.ModSwitch(evaluator.ModSwitch(_ours.A));
        using var square = evaluator.Square(_ours.A);
        using var cube = evaluator.Multiply(square, _ours.B);

        Assert.Equal(4, cube.Size);
        Assert.InRange(Decrypted(cube).Zip(_ours.X.Zip(_ours.Y), (found, e) => (found - (e.Item1 * e.Item1 * e.Item2)).Magnitude).Max(), 0, 1e-5);
        Assert.Contains("2 powers of the secret", Assert.Throws<MisuseException>(() => evaluator.Relinearise(cube, _ours.Relinearisation)).Message);
        Assert.Contains("does not fit", Assert.Throws<MisuseException>(() => evaluator.Square(low)).Message);
    }

    [Fact]
    public void Operands_that_do_not_go_together_are_refused_with_a_remedy()
    {
        var evaluator = _ours.Evaluator;
        using var low = evaluator.ModSwitch(_ours.A);
        using var square = evaluator.Square(_ours.A);
        using var other = new OurSet(64, 50, 40, 40, 49);

        Assert.Contains("Switch the modulus", Assert.Throws<MisuseException>(() => evaluator.Add(_ours.A, low)).Message);
        Assert.Contains("Encode the plaintext at level 1", Assert.Throws<MisuseException>(() => evaluator.Multiply(low, _ours.PlainX)).Message);
        Assert.Contains("scales differ", Assert.Throws<MisuseException>(() => evaluator.Add(_ours.A, square)).Message);
        Assert.Contains("Relinearise it first", Assert.Throws<MisuseException>(() => evaluator.Rotate(square, 3, _ours.Galois)).Message);
        Assert.Contains("other parameters", Assert.Throws<MisuseException>(() => evaluator.Rotate(_ours.A, 3, other.Galois)).Message);
        Assert.Contains("no Galois key", Assert.Throws<MissingKeyException>(() => evaluator.Rotate(_ours.A, 4, _ours.Galois)).Message);
        Assert.Contains("no Galois key", Assert.Throws<MissingKeyException>(() => evaluator.Rotate(_ours.A, 5, _ours.Galois)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => evaluator.Rotate(_ours.A, 32, _ours.Galois));
        using var bottom = evaluator.ModSwitch(low);
        Assert.Contains("no level is left", Assert.Throws<MisuseException>(() => evaluator.Rescale(bottom)).Message);
    }

    [Fact]
    public void One_thread_and_three_give_the_same_bits()
    {
        using var three = new SealContext(_ours.Context.Parameters, allowInsecure: true, parallelism: 3);
        var evaluator = new SealEvaluator(three);
        using var product = _ours.Evaluator.Multiply(_ours.A, _ours.B);
        using var expected = _ours.Evaluator.Rescale(_ours.Evaluator.Relinearise(product, _ours.Relinearisation));

        using var found = evaluator.Rescale(evaluator.Relinearise(evaluator.Multiply(_ours.A, _ours.B), _ours.Relinearisation));

        Assert.Equal(new SealWriter(_ours.Context).Write(expected), new SealWriter(three).Write(found));
    }

    [Fact]
    public void One_prime_alone_encrypts_but_has_no_keys_for_switching()
    {
        using var context = new SealContext(SealParameters.Create(64, 50), allowInsecure: true);
        using var generator = new SealKeyGenerator(context, HeFixture.FixedSeed(1));
        using var encryptor = new SealEncryptor(context, HeFixture.FixedSeed(2));
        using var secret = generator.NewSecretKey();
        using var key = generator.NewPublicKey(secret);
        using var message = new SealEncoder(context).Encode(_ours.X, 0, 1 << 30);
        using var ciphertext = new SealReader(context).ReadCiphertext(new SealWriter(context).Write(encryptor.Encrypt(message, key)));
        using var decrypted = new SealDecryptor(context, secret).Decrypt(ciphertext);

        Assert.All(new SealEncoder(context).Decode(decrypted).Zip(_ours.X, (found, x) => (found - x).Magnitude), error => Assert.InRange(error, 0, 1e-5));
        Assert.Contains("no special prime", Assert.Throws<MisuseException>(() => generator.NewRelinearisationKeys(secret)).Message);
    }

    [Fact]
    public void Values_that_do_not_fit_are_not_encoded()
    {
        var encoder = _ours.Encoder;

        Assert.Throws<ArgumentException>(() => encoder.Encode([double.NaN], 1, 1 << 30));
        Assert.Throws<ArgumentException>(() => encoder.Encode([1e30], 0, 1 << 30));
        Assert.Throws<ArgumentException>(() => encoder.Encode([1.0], 0, Math.ScaleB(1, 50)));
        Assert.Throws<ArgumentException>(() => encoder.Encode([1.0], 0, 0));
        Assert.Throws<ArgumentException>(() => encoder.Encode(new double[33], 0, 1 << 30));
        Assert.Throws<ArgumentOutOfRangeException>(() => encoder.Encode([1.0], 3, 1 << 30));
    }

    private Complex[] Decrypted(SealCiphertext ciphertext)
    {
        using var plaintext = new SealDecryptor(_ours.Context, _ours.Secret).Decrypt(ciphertext);
        return _ours.Encoder.Decode(plaintext);
    }
}
