/** WebAssembly text of the field's powers: inverses, and the square root of 1/v that ristretto255 stands on. */
import { CONSTANTS } from './constants.ts';
import { call, get, lines, locals, type Scratch, set } from './text.ts';

/** `$squareTimes(to, a, times)`: a to the power 2^times. */
const squareTimes = `(func $squareTimes (param $to i32) (param $a i32) (param $times i32)
    ${call('$square', get('$to'), get('$a'))}
    (block $done (loop $again
      (br_if $done (i32.eqz (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      ${call('$square', get('$to'), get('$to'))}
      (br $again))))`;

/** `$power22523(to, a)`: a^((p−5)/8) = a^(2²⁵² − 3), along ref10's chain; 2ⁿ − 1 is written "ones n". */
function power22523Function(scratch: Scratch): string {
  const { x, y, z, a } = scratch.pairs('x', 'y', 'z', 'a');
  const shifted = (to: string, from: string, times: number) => call('$squareTimes', to, from, `(i32.const ${times})`);
  const mul = (to: string, left: string, right: string) => call('$mul', to, left, right);
  return `(func $power22523 (param $to i32) (param $a i32)
    ${call('$copy', a, get('$a'))}
    ${lines([
      shifted(x, a, 1), // 2
      shifted(y, x, 2), // 8
      mul(y, a, y), // 9
      mul(x, x, y), // 11
      shifted(x, x, 1), // 22
      mul(x, y, x), // ones 5
      shifted(y, x, 5),
      mul(x, y, x), // ones 10
      shifted(y, x, 10),
      mul(y, y, x), // ones 20
      shifted(z, y, 20),
      mul(y, z, y), // ones 40
      shifted(y, y, 10),
      mul(x, y, x), // ones 50
      shifted(y, x, 50),
      mul(y, y, x), // ones 100
      shifted(z, y, 100),
      mul(y, z, y), // ones 200
      shifted(y, y, 50),
      mul(x, y, x), // ones 250
      shifted(x, x, 2), // 2²⁵² − 4
      mul(get('$to'), x, a),
    ])})`;
}

/** `$invert(to, a)`: a^(p−2) = (a^(2²⁵²−3))⁸ · a³; 0 gives 0. */
function invertFunction(scratch: Scratch): string {
  const { power, cube } = scratch.pairs('power', 'cube');
  return `(func $invert (param $to i32) (param $a i32)
    ${call('$square', cube, get('$a'))}
    ${call('$mul', cube, cube, get('$a'))}
    ${call('$power22523', power, get('$a'))}
    ${call('$squareTimes', power, power, '(i32.const 3)')}
    ${call('$mul', get('$to'), power, cube)})`;
}

/** `$invSqrt(to, v)`: SQRT_RATIO_M1(1, v) of RFC 9496 §4.2; the mask says where v was a square other than 0. */
function invSqrtFunction(scratch: Scratch): string {
  const { cube, seventh, root, check, minusOne, minusI, turned } = scratch.pairs(
    'cube',
    'seventh',
    'root',
    'check',
    'minusOne',
    'minusI',
    'turned',
  );
  const either = `(v128.or ${get('$flipped')} ${get('$flippedI')})`;
  return `(func $invSqrt (param $to i32) (param $v i32) (result v128)
    ${locals(['$correct', '$flipped', '$flippedI'], 'v128')}
    ${lines([
      call('$square', cube, get('$v')),
      call('$mul', cube, cube, get('$v')),
      call('$square', seventh, cube),
      call('$mul', seventh, seventh, get('$v')),
      call('$power22523', root, seventh),
      call('$mul', root, root, cube),
      call('$square', check, root),
      call('$mul', check, check, get('$v')),
      call('$sub', minusOne, CONSTANTS.zero, CONSTANTS.one),
      call('$sub', minusI, CONSTANTS.zero, CONSTANTS.sqrtMinusOne),
      set('$correct', call('$isEqual', check, CONSTANTS.one)),
      set('$flipped', call('$isEqual', check, minusOne)),
      set('$flippedI', call('$isEqual', check, minusI)),
      call('$mul', turned, root, CONSTANTS.sqrtMinusOne),
      call('$select', root, turned, root, either),
      call('$negateWhere', get('$to'), root, call('$isNegative', root)),
    ])}
    (v128.or ${get('$correct')} ${get('$flipped')}))`;
}

export const powersWat = (scratch: Scratch): string =>
  lines([squareTimes, power22523Function(scratch), invertFunction(scratch), invSqrtFunction(scratch)]);
